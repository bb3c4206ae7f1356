// The depth of the chosen instrument's book: what can be bought and sold up to each price.

import { useRef } from "react";
import { decimalsOf, drawGrid, niceStep, niceTicks } from "./axis.js";
import { plotOf, useChart, usePointer } from "./chart.js";
import { themeColors } from "./colors.js";
import { depthOf, sizeUpTo } from "./depth.js";
import { decimal, volume } from "./format.js";
import { setText, useShape, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";

const LEGEND = "All sizes from the best price on, added up, up to each price.";

function drawSide({ context }, plot, { steps, edge, x, y, color }) {
  context.beginPath();
  context.moveTo(x(steps[0][0]), plot.bottom);
  let size = 0;
  for (const [price, sum] of steps) {
    context.lineTo(x(price), y(size));
    context.lineTo(x(price), y(sum));
    size = sum;
  }
  context.lineTo(x(edge), y(size));
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(x(edge), plot.bottom);
  context.closePath();
  context.fillStyle = color;
  context.globalAlpha = 0.14;
  context.fill();
  context.globalAlpha = 1;
}

function draw(surface, { book, pointer, words }) {
  const depth = book && depthOf(book);
  if (!depth) return setText(words, "");
  const colors = themeColors();
  const { decimals, tickSize } = store.detail;
  const most = 1.06 * depth.most;
  const plot = plotOf(surface, colors.axisFont, volume(most));
  const width = plot.right - plot.left;
  const x = (price) => plot.left + ((price - depth.low) / (depth.high - depth.low)) * width;
  const y = (size) => plot.bottom - (size / most) * (plot.bottom - plot.top);
  const columns = Math.max(2, Math.floor(width / 90));
  const digits = decimalsOf(niceStep(depth.low, depth.high, columns, tickSize), decimals);
  const down = niceTicks(depth.low, depth.high, columns, tickSize).map((price) => ({
    x: x(price),
    text: decimal(price, digits),
  }));
  drawGrid(surface, plot, {
    across: niceTicks(0, most, Math.max(2, Math.floor((plot.bottom - plot.top) / 40))).map((size) => ({
      y: y(size),
      text: volume(size),
    })),
    down: down.filter((tick) => tick.x > 24 && tick.x < plot.right - 24),
    colors,
  });
  drawSide(surface, plot, { steps: depth.bid, edge: depth.low, x, y, color: colors.up });
  drawSide(surface, plot, { steps: depth.ask, edge: depth.high, x, y, color: colors.down });
  if (!pointer || pointer.x > plot.right) return setText(words, "");
  const { context } = surface;
  const price = depth.low + (pointer.x / width) * (depth.high - depth.low);
  const [side, size] = sizeUpTo(depth, price);
  context.strokeStyle = colors.muted;
  context.setLineDash([2, 3]);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(pointer.x) + 0.5, plot.top);
  context.lineTo(Math.round(pointer.x) + 0.5, plot.bottom);
  context.stroke();
  context.setLineDash([]);
  return setText(words, `${volume(size)} ${side} to ${decimal(price, decimals)}`);
}

export function DepthChart() {
  const { chosen } = useShape();
  const canvas = useRef(null);
  const words = useRef(null);
  const empty = useRef(null);
  const pointer = usePointer(canvas);
  const drawn = useRef({ beat: -1, moves: -1 });

  useChart(
    canvas,
    {
      due: () => drawn.current.beat !== store.beat || drawn.current.moves !== pointer.moves,
      draw: (surface) => {
        Object.assign(drawn.current, { beat: store.beat, moves: pointer.moves });
        draw(surface, { book: bookOf(chosen), pointer: pointer.at, words: words.current });
      },
    },
    [chosen],
  );

  useSlowPainter(
    () => () => {
      const book = bookOf(chosen);
      empty.current.hidden = Boolean(book && depthOf(book));
      if (!empty.current.hidden) setText(empty.current, book ? "A side of the order book is empty." : "Waiting for the order book.");
    },
    [chosen],
  );

  return (
    <div className="chart-box">
      <div className="chart-bar">
        <span className="legend" title={LEGEND}>
          <span data-key="bid">Bids</span>
          <span data-key="ask">Asks</span>
        </span>
        <span className="readout figure" ref={words} data-testid="depth-readout" />
      </div>
      <div className="plot">
        <canvas ref={canvas} role="img" aria-label={`Cumulative depth of ${chosen}, volume by price; the order book has the same as a table`} />
        <p className="empty" ref={empty}>
          Waiting for the order book.
        </p>
      </div>
    </div>
  );
}

function bookOf(chosen) {
  return store.book?.symbol === chosen ? store.book : null;
}
