// Bid and ask over the last minutes as steps, with gaps where a side is empty, and
// each trade as a dot whose area is its size: filled where the buyer took, a ring where the seller did.

import { useRef, useState } from "react";
import { decimalsOf, drawGrid, keptRange, niceStep, niceTicks, timeTicks } from "./axis.js";
import { drawCrosshair, drawTag, plotOf, useChart, usePointer } from "./chart.js";
import { themeColors } from "./colors.js";
import { PRICED, QUOTE } from "./columns.js";
import { PRICE, SIDE, SIZE } from "./detail.js";
import { decimal, timeOfDay } from "./format.js";
import { setParts, setText, useShape, useSlowPainter } from "./hooks.js";
import { dotRadius, priceRange, stepRuns } from "./steps.js";
import { store } from "./store.js";
import { TimeUnit } from "./timeunit.jsx";
import { emptyText } from "./waiting.js";

const SPANS = [
  [15, "15 s"],
  [60, "1 min"],
  [300, "5 min"],
];
const EVERY_MS = 45;
const LARGEST_DOT = 7;
const NEAR = 12;
const HALF_LABEL = 24;
const DASHES = [4, 4];
const LEGEND = "Filled: the buyer took. Ring: the seller took. A dot's area is the trade's volume.";

function drawRuns({ context }, runs, y, { color, width = 1.5, dash = [] }) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  for (const points of runs) {
    context.moveTo(points[0], y(points[1]));
    for (let i = 2; i < points.length; i += 2) context.lineTo(points[i], y(points[i + 1]));
  }
  context.stroke();
  context.setLineDash([]);
}

function drawTrades({ context }, trades, { from, to, x, y, colors }) {
  const begin = trades.after(from);
  let largest = 0;
  for (let i = begin; i < trades.length; i += 1) largest = Math.max(largest, trades.at(i)[SIZE]);
  for (let i = begin; i < trades.length; i += 1) {
    const trade = trades.at(i);
    if (trade[0] > to) break;
    const radius = dotRadius(trade[SIZE], largest, LARGEST_DOT);
    context.beginPath();
    context.arc(x(trade[0]), y(trade[PRICE]), radius, 0, 2 * Math.PI);
    if (trade[SIDE] > 0) {
      context.globalAlpha = 0.65;
      context.fillStyle = colors.up;
      context.fill();
      context.globalAlpha = 1;
    } else {
      context.strokeStyle = colors.down;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }
}

/** Tags of bid and ask on the axis, moved apart where they would cover each other. */
function drawQuote(surface, plot, { quote, y, decimals, colors }) {
  if (!quote) return;
  const tags = [];
  const [bid, ask] = [quote[QUOTE.bid], quote[QUOTE.ask]];
  if (ask !== null) tags.push({ y: y(ask), text: decimal(ask, decimals), color: colors.down });
  if (bid !== null) tags.push({ y: y(bid), text: decimal(bid, decimals), color: colors.up });
  if (tags.length === 2 && tags[1].y - tags[0].y < 17) {
    const middle = (tags[0].y + tags[1].y) / 2;
    tags[0].y = middle - 8.5;
    tags[1].y = middle + 8.5;
  }
  for (const tag of tags) drawTag(surface, plot, { ...tag, ink: colors.panel });
}

/** What stood at a time, in parts of a line, and the trade nearest to it within `within` ms. */
function readout(ms, within) {
  const { quotes, prices, trades, decimals, instrument, id } = store.market.detail;
  const sizes = store.market.sizesOf(id);
  const time = timeOfDay(store.sources.timeOf(instrument, ms), true);
  if (!quotes.length) {
    const price = prices.after(ms) ? prices.at(prices.after(ms) - 1)[PRICED.price] : null;
    return [time, price === null ? "no price" : `last ${decimal(price, decimals)}`];
  }
  const quote = quotes.after(ms) ? quotes.at(quotes.after(ms) - 1) : null;
  const side = (name, price, size) =>
    (quote?.[price] ?? null) === null ? `no ${name}` : `${name} ${decimal(quote[price], decimals)} × ${sizes.text(quote[size])}`;
  const parts = [time, side("bid", QUOTE.bid, QUOTE.bidSize), side("ask", QUOTE.ask, QUOTE.askSize)];
  const next = trades.after(ms);
  const near = [next - 1, next].filter((at) => at >= 0 && at < trades.length).map((at) => trades.at(at));
  const nearest = near.sort((a, b) => Math.abs(a[0] - ms) - Math.abs(b[0] - ms))[0];
  if (nearest && Math.abs(nearest[0] - ms) <= within) {
    parts.push(`${nearest[SIDE] > 0 ? "buy" : "sell"} ${sizes.text(nearest[SIZE])} at ${decimal(nearest[PRICE], decimals)}`);
  }
  return parts;
}

export function StepChart() {
  const { chosen } = useShape();
  const [seconds, setSeconds] = useState(60);
  const canvas = useRef(null);
  const root = useRef(null);
  const words = useRef(null);
  const empty = useRef(null);
  const pointer = usePointer(canvas);
  const drawn = useRef({ at: -Infinity, beat: -1, moves: -1, range: null, id: "" });

  useChart(
    canvas,
    {
      due: (now) => {
        const waited = now - drawn.current.at;
        if (store.cadence.beat !== drawn.current.beat) return true;
        return waited >= store.strain.stretched(EVERY_MS) || (pointer.moves !== drawn.current.moves && waited > 15);
      },
      draw: (surface, now) => {
        const last = drawn.current;
        const { detail } = store.market;
        if (last.id !== detail.id) last.range = null;
        Object.assign(last, { at: now, beat: store.cadence.beat, moves: pointer.moves, id: detail.id });
        drawSteps(surface, { now, seconds, last, pointer: pointer.at, words: words.current });
      },
    },
    [chosen, seconds],
  );

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      const { steps, trades } = store.market.detail;
      root.current.toggleAttribute("data-priced", steps.columns.length === 1);
      empty.current.hidden = steps.rows.length + trades.length > 0;
      if (!empty.current.hidden) setText(empty.current, emptyText("prices", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen]);

  return (
    <div className="chart-box" ref={root}>
      <div className="chart-bar">
        <span className="legend" title={LEGEND}>
          <span data-key="price">Last price</span>
          <span data-key="bid">Bid</span>
          <span data-key="ask">Ask</span>
          <span data-key="buy">Buy</span>
          <span data-key="sell">Sell</span>
          <span data-key="theo">Theoretical</span>
        </span>
        <span className="readout figure" ref={words} data-testid="steps-readout" />
        <span className="segments" role="group" aria-label="Time shown">
          {SPANS.map(([span, label]) => (
            <button key={span} type="button" aria-pressed={span === seconds} onClick={() => setSeconds(span)}>
              {label}
            </button>
          ))}
        </span>
      </div>
      <div className="plot">
        <canvas
          ref={canvas}
          role="img"
          tabIndex={0}
          aria-label={`Best bid and ask of ${chosen.name} over time, and its trades; arrow keys read it`}
        />
        <TimeUnit />
        <p className="empty" ref={empty}>
          Waiting for the stream to begin.
        </p>
      </div>
    </div>
  );
}

function drawSteps(surface, { now, seconds, last, pointer, words }) {
  const { steps, trades, theos, tickSize, decimals } = store.market.detail;
  const colors = themeColors();
  const to = store.chartTime(now);
  const from = to - 1000 * seconds;
  const found = priceRange(steps.rows, trades, steps.columns, from, to);
  if (!found) return;
  const range = (last.range = keptRange(last.range, found, 4 * tickSize));
  const plot = plotOf(surface, colors.axisFont, decimal(range.high, decimals));
  const x = (ms) => plot.left + ((ms - from) / (to - from)) * (plot.right - plot.left);
  const y = (value) => plot.bottom - ((value - range.low) / (range.high - range.low)) * (plot.bottom - plot.top);
  const lines = Math.max(2, Math.floor((plot.bottom - plot.top) / 40));
  const digits = decimalsOf(niceStep(range.low, range.high, lines, tickSize), decimals);
  drawGrid(surface, plot, {
    across: niceTicks(range.low, range.high, lines, tickSize).map((value) => ({ y: y(value), text: decimal(value, digits) })),
    down: timeTicks(from, to, Math.floor(surface.width / 90)).map((ms) => ({
      x: x(ms),
      text: x(ms) < plot.right - HALF_LABEL ? timeOfDay(ms) : "", // beside it stands what the times are
    })),
    colors,
  });
  const { context } = surface;
  context.save();
  context.beginPath();
  context.rect(plot.left, 0, plot.right - plot.left, plot.bottom);
  context.clip();
  const theo = stepRuns(theos, PRICED.price, { from, to, x });
  drawRuns(surface, theo, y, { color: colors.accent, width: 1, dash: DASHES });
  const drawn = steps.columns.length === 1 ? [colors.accent] : [colors.up, colors.down];
  for (const [at, column] of steps.columns.entries()) {
    drawRuns(surface, stepRuns(steps.rows, column, { from, to, x }), y, { color: drawn[at] });
  }
  drawTrades(surface, trades, { from, to, x, y, colors });
  const inside = pointer && pointer.x <= plot.right;
  if (inside) drawCrosshair(surface, plot, { x: pointer.x, color: colors.muted });
  context.restore();
  drawQuote(surface, plot, { quote: store.market.detail.quote(), y, decimals, colors });
  const ms = inside ? from + (pointer.x / (plot.right - plot.left)) * (to - from) : null;
  setParts(words, ms === null ? [] : readout(ms, (NEAR / (plot.right - plot.left)) * (to - from)));
}
