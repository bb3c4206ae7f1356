// What the charts show, as tables for those who read rather than look. Written
// once a second while open.

import { useRef, useState } from "react";
import { BAR, QUOTE } from "./columns.js";
import { NONE, decimal, duration, integer, milliseconds, signed, timeOfDay } from "./format.js";
import { useSlowPainter } from "./hooks.js";
import { summary } from "./statistics.js";
import { store } from "./store.js";

const TABLE_ROWS = 30;

const TABLES = {
  prices: {
    head: ["Symbol", "Price", "Is", "Change", "Within", "Lowest", "Highest", "Mean", "p50", "p95", "Samples"],
    rows: () => [...store.market.series.values()].filter((series) => series.prices.length).map(priceRow),
  },
  performance: {
    head: ["Seconds ago", "Messages per second", "Frames per second"],
    rows: () => [0, 1, 2, 3, 4, 5, 10, 20, 30, 45, 59].map(trendRow),
  },
  quotes: {
    head: ["Time (UTC)", "Bid", "Bid volume", "Ask", "Ask volume"],
    rows: () => newest(store.market.detail.quotes, (index) => quoteRow(store.market.detail.quotes.at(index))),
  },
  candles: {
    head: ["Begins", "Open", "High", "Low", "Close", "Volume"],
    rows: () => newest(store.market.detail.bars.rows, (index) => candleRow(store.market.detail.bars.rows[index])),
  },
  latency: {
    head: ["Received to painted", "Mean", "p50", "p95", "Shortest", "Longest"],
    rows: () => [latencyRow("Newest message", store.measurements.latency), latencyRow("All messages", store.measurements.latencyAll)],
  },
};

/** The newest rows of a list or timeline, newest first. */
function newest(rows, at) {
  return Array.from({ length: Math.min(TABLE_ROWS, rows.length) }, (_, back) => at(rows.length - 1 - back));
}

function quoteRow(row) {
  const { decimals, id } = store.market.detail;
  const sizes = store.market.sizesOf(id);
  const side = (price, size) => (price === null ? [NONE, NONE] : [decimal(price, decimals), sizes.text(size)]);
  const bid = side(row[QUOTE.bid], row[QUOTE.bidSize]);
  const time = store.sources.timeOf(store.market.detail.instrument, row[QUOTE.time]);
  return [timeOfDay(time, true), ...bid, ...side(row[QUOTE.ask], row[QUOTE.askSize])];
}

function candleRow(row) {
  const { decimals, instrument, id } = store.market.detail;
  const prices = [BAR.open, BAR.high, BAR.low, BAR.close].map((column) => decimal(row[column], decimals));
  const unit = store.sources.isReplayed(instrument) ? "played" : "UTC";
  return [`${timeOfDay(1000 * row[BAR.start])} ${unit}`, ...prices, store.market.sizesOf(id).text(row[BAR.volume])];
}

function priceRow(series) {
  const { instrument, last, basis, prices } = series;
  const { name, decimals } = instrument;
  const { mean, p50, p95 } = summary(prices);
  const { change, spanMs } = series.moved();
  const sorted = prices.sorted();
  const numbers = [sorted[0], sorted[sorted.length - 1], mean, p50, p95];
  const moved = [signed(change, decimals), duration(spanMs / 1000)];
  return [name, decimal(last, decimals), basis, ...moved, ...numbers.map((value) => decimal(value, decimals)), prices.length];
}

function trendRow(ago) {
  const at = (ring) => (ring.length > ago ? ring.at(ring.length - 1 - ago) : NaN);
  return [ago, integer(at(store.measurements.rates)), decimal(at(store.measurements.fps), 1)];
}

function latencyRow(name, ring) {
  const { mean, p50, p95 } = summary(ring) ?? {};
  const sorted = ring.sorted();
  return [name, ...[mean, p50, p95, sorted[0], sorted[sorted.length - 1]].map(milliseconds)];
}

export function ChartTable({ name, label }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{label}</summary>
      {open && <Rows name={name} label={label} />}
    </details>
  );
}

function Rows({ name, label }) {
  const [{ at, rows }, setRead] = useState({ at: NaN, rows: [] });
  const read = useRef(0);
  useSlowPainter(
    () => (now) => {
      if (now - read.current < 1000) return;
      read.current = now;
      setRead({ at: store.chartTime(now), rows: TABLES[name].rows() });
    },
    [name],
  );
  return (
    <div className="scroll" role="region" aria-label={label} tabIndex={0}>
      <table aria-label={label}>
        <caption>As of {timeOfDay(at)} UTC</caption>
        <thead>
          <tr>
            {TABLES[name].head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...others], row) => (
            <tr key={`${row} ${first}`}>
              <th scope="row">{first}</th>
              {others.map((text, at) => (
                <td key={TABLES[name].head[at + 1]}>{text}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
