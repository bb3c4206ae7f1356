// Recent trades, newest on top. Rows are made once and written anew.

import { useRef } from "react";
import { decimal } from "./format.js";
import { setText, useCountedPainter, useShape, useSlowPainter } from "./hooks.js";
import { NO_INSTRUMENT } from "./instruments.js";
import { Column, turn } from "./rows.js";
import { store } from "./store.js";
import { markTime, tradeTime, writeTimeHead } from "./tradetimes.js";
import { emptyTapeText } from "./waiting.js";

const SHOWN = 20;
/** The end of a long name stays where the rest is cut off: a contract's strike and type stand there. */
const END = 7;
const LONG = 2 * END;

function createRow() {
  const row = document.createElement("div");
  row.className = "trade";
  row.setAttribute("role", "row");
  row.dataset.testid = "trade-row";
  row.innerHTML =
    '<span role="cell" class="time"><span></span><span class="ms"></span></span>' +
    '<span role="cell" class="symbol"><span></span><span></span></span>' +
    '<span role="cell" class="trade-price"><i class="mark" aria-hidden="true"></i>' +
    '<span class="sr-only"></span><span class="figure"></span></span>' +
    '<span role="cell" class="size"><i class="bar" aria-hidden="true"></i><span class="figure"></span></span>';
  const [time, symbol, price, size] = row.children;
  const [clock, ms] = time.children;
  const [name, end] = symbol.children;
  const parts = { row, clock, ms, name, end, word: price.children[1], price: price.children[2] };
  return { ...parts, bar: size.children[0], size: size.children[1], trade: null };
}

function writeRow(parts, trades, at, { largest, columns }) {
  const trade = trades[at];
  const share = Math.min(1, trade.size / largest);
  if (parts.share !== share) {
    parts.share = share;
    parts.bar.style.transform = `scaleX(${share.toFixed(3)})`;
  }
  const sizes = store.market.sizesOf(trade.instrument.id);
  if (parts.trade === trade && parts.sizeDecimals === sizes.decimals) return;
  parts.trade = trade;
  parts.sizeDecimals = sizes.decimals;
  const buy = trade.side > 0;
  parts.row.dataset.side = buy ? "buy" : "sell";
  const time = tradeTime(trade);
  setText(parts.clock, time.slice(0, 8));
  setText(parts.ms, time.slice(8));
  const { name, decimals } = trade.instrument;
  const whole = name.length <= LONG;
  setText(parts.name, whole ? name : name.slice(0, -END));
  setText(parts.end, whole ? "" : name.slice(-END));
  setText(parts.word, buy ? "buy " : "sell ");
  const [price, size] = [decimal(trade.price, decimals), sizes.text(trade.size)];
  setText(parts.price, price);
  setText(parts.size, size);
  columns.price.fit(price);
  columns.size.fit(size);
  const jumped = markTime(parts.row, trades, at);
  parts.row.title = [`${trade.size} ${name}`, jumped].filter(Boolean).join(". ");
}

/** Sizes are compared within their instrument: the largest of the kept trades fills the bar. */
function largestSizes() {
  const largest = new Map();
  for (const { instrument, size } of store.market.trades) {
    largest.set(instrument.id, Math.max(size, largest.get(instrument.id) ?? 0));
  }
  return largest;
}

export function Tape() {
  const { watched } = useShape();
  const table = useRef(null);
  const list = useRef(null);
  const head = useRef(null);
  const empty = useRef(null);

  useCountedPainter("trades", () => {
    const rows = [];
    const columns = { price: new Column(table.current, "price"), size: new Column(table.current, "size") };
    let seen = -1;
    let version = -1;
    list.current.replaceChildren();
    return () => {
      const count = Math.min(SHOWN, store.market.trades.length);
      const dated = version === store.sources.version;
      if (seen === store.market.tradesSeen && rows.length === count && dated) return;
      version = store.sources.version;
      if (!dated) for (const parts of rows) parts.trade = null;
      turn(rows, list.current, { count, fresh: store.market.tradesSeen - seen, createRow });
      seen = store.market.tradesSeen;
      const largest = largestSizes();
      const { trades } = store.market;
      for (let i = 0; i < count; i += 1) {
        writeRow(rows[i], trades, i, { largest: largest.get(trades[i].instrument.id), columns });
      }
      writeTimeHead(head.current, trades[0]);
      empty.current.hidden = count > 0;
    };
  }, []);

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      if (!empty.current.hidden) setText(empty.current, emptyTapeText(watched, store.lackOf(NO_INSTRUMENT), now - began));
    };
  }, [watched]);

  return (
    <div className="tape" role="table" aria-label="Recent trades, newest first" ref={table}>
      <div role="rowgroup">
        <div className="trade head" role="row">
          <span role="columnheader" className="time" ref={head}>
            Time (UTC)
          </span>
          <span role="columnheader">Symbol</span>
          <span role="columnheader">Price</span>
          <span role="columnheader">Size</span>
        </div>
      </div>
      <div role="rowgroup" className="tape-list" ref={list} />
      <p className="empty" ref={empty}>
        Waiting for the stream to begin.
      </p>
    </div>
  );
}
