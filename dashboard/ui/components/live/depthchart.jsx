// The depth of the chosen instrument's book: what can be bought and sold up to each price.

import { useRef } from "react";
import { decimalsOf, drawGrid, niceStep, niceTicks } from "./axis.js";
import { drawCrosshair, plotOf, useChart, usePointer } from "./chart.js";
import { themeColors } from "./colors.js";
import { depthOf, sizeUpTo } from "./depth.js";
import { decimal } from "./format.js";
import { setText, useShape, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";
import { emptyText } from "./waiting.js";

const HALF_LABEL = 24;
const HALF_EMPTY = "A side of the order book is empty.";
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

/** Draw a book's depth; gives what the pointer reads, in words. */
function draw(surface, depth, pointer) {
  const colors = themeColors();
  const { decimals, tickSize, id } = store.market.detail;
  const written = store.market.sizesOf(id);
  const most = 1.06 * depth.most;
  const rows = Math.max(2, Math.floor(surface.height / 40) - 1);
  const sizeDigits = decimalsOf(niceStep(0, most, rows), written.decimals);
  const plot = plotOf(surface, colors.axisFont, decimal(most, sizeDigits));
  const width = plot.right - plot.left;
  const x = (price) => plot.left + ((price - depth.low) / (depth.high - depth.low)) * width;
  const y = (size) => plot.bottom - (size / most) * (plot.bottom - plot.top);
  const columns = Math.max(2, Math.floor(width / 90));
  const digits = decimalsOf(niceStep(depth.low, depth.high, columns, tickSize), decimals);
  const prices = niceTicks(depth.low, depth.high, columns, tickSize);
  const sizes = niceTicks(0, most, rows);
  drawGrid(surface, plot, {
    across: sizes.map((size) => ({ y: y(size), text: decimal(size, sizeDigits) })),
    down: prices
      .map((price) => ({ x: x(price), text: decimal(price, digits) }))
      .filter((tick) => tick.x > HALF_LABEL && tick.x < plot.right - HALF_LABEL),
    colors,
  });
  drawSide(surface, plot, { steps: depth.bid, edge: depth.low, x, y, color: colors.up });
  drawSide(surface, plot, { steps: depth.ask, edge: depth.high, x, y, color: colors.down });
  if (!pointer || pointer.x > plot.right) return "";
  drawCrosshair(surface, plot, { x: pointer.x, color: colors.muted });
  const price = depth.low + (pointer.x / width) * (depth.high - depth.low);
  const [side, size] = sizeUpTo(depth, price);
  return `${written.text(size)} ${side} to ${decimal(price, decimals)}`;
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
      due: () => drawn.current.beat !== store.cadence.beat || drawn.current.moves !== pointer.moves,
      draw: (surface) => {
        Object.assign(drawn.current, { beat: store.cadence.beat, moves: pointer.moves });
        const book = store.market.bookOf(chosen.id);
        const depth = book && depthOf(book);
        setText(words.current, depth ? draw(surface, depth, pointer.at) : "");
      },
    },
    [chosen],
  );

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      const book = store.market.bookOf(chosen.id);
      empty.current.hidden = Boolean(book && depthOf(book));
      if (empty.current.hidden) return;
      setText(empty.current, book ? HALF_EMPTY : emptyText("book", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen]);

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
        <canvas
          ref={canvas}
          role="img"
          tabIndex={0}
          aria-label={`Cumulative depth of ${chosen.name}, volume by price; arrow keys read it, the order book has the same as a table`}
        />
        <p className="empty" ref={empty}>
          Waiting for the order book.
        </p>
      </div>
    </div>
  );
}
