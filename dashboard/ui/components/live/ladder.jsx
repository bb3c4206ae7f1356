// The price ladder of the chosen instrument: bid volume, price, ask volume. Rows
// are made once for the panel's height, and written anew.

import { useEffect, useRef, useState } from "react";
import { decimal } from "./format.js";
import { setAttribute, setText, useCountedPainter, useShape, useSlowPainter } from "./hooks.js";
import { Ladder } from "./ladder.js";
import { store } from "./store.js";
import { emptyText } from "./waiting.js";

const ROW_HEIGHT = 22;
const FEWEST = 11;
const MOST = 61;
const EMPTY = "Both sides of the order book are empty.";

/** An odd number of rows that, below their head, fills the element's height. */
function useRowCount(element) {
  const [count, setCount] = useState(21);
  useEffect(() => {
    const observer = new ResizeObserver((entries) => {
      const rows = Math.floor(entries[entries.length - 1].contentRect.height / ROW_HEIGHT) - 1;
      const odd = rows % 2 ? rows : rows - 1;
      setCount(Math.min(MOST, Math.max(FEWEST, odd)));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return count;
}

function partsOf(element) {
  const [bid, price, ask] = element.children;
  const [bidBar, bidSize] = bid.children;
  const [askBar, askSize] = ask.children;
  return { element, bidBar, bidSize, price, askBar, askSize };
}

function writeSize(bar, text, size, { largest, sizes }) {
  setText(text, size ? sizes.text(size) : "");
  const scale = `scaleX(${size ? (size / largest).toFixed(3) : 0})`;
  if (bar.style.transform !== scale) bar.style.transform = scale;
}

function writeRow(parts, row, about) {
  const { decimals, last, theo } = about;
  setText(parts.price, row.tick === null ? "" : decimal(row.price, decimals));
  writeSize(parts.bidBar, parts.bidSize, row.bid, about);
  writeSize(parts.askBar, parts.askSize, row.ask, about);
  setAttribute(parts.element, "data-best", row.best);
  setAttribute(parts.element, "data-last", row.tick !== null && row.tick === last ? "" : null);
  setAttribute(parts.element, "data-theo", row.tick !== null && row.tick === theo ? "" : null);
  setAttribute(parts.element, "data-price", row.tick === null ? null : Number(row.price.toPrecision(15)));
}

function toTick(price) {
  return Number.isFinite(price) ? Math.round(price / store.market.detail.tickSize) : undefined;
}

export function PriceLadder() {
  const { chosen } = useShape();
  const area = useRef(null);
  const table = useRef(null);
  const empty = useRef(null);
  const note = useRef(null);
  const count = useRowCount(area);
  const { tickSize } = chosen;

  useCountedPainter("beat", () => {
    const ladder = new Ladder();
    const parts = [...table.current.querySelectorAll(".rung:not(.head)")].map(partsOf);
    return () => {
      const book = store.market.bookOf(chosen.id);
      const found = book && tickSize ? ladder.rows(book, tickSize, count) : null;
      table.current.hidden = !found;
      note.current.hidden = !found;
      empty.current.hidden = Boolean(found);
      if (!found) return;
      const { decimals, theo } = store.market.detail;
      const about = {
        decimals,
        sizes: store.market.sizesOf(chosen.id),
        largest: found.largest || 1,
        last: toTick(store.market.trades[0]?.price),
        theo: toTick(theo),
      };
      for (const [at, row] of found.rows.entries()) writeRow(parts[at], row, about);
      setAttribute(note.current, "data-mode", found.byTicks ? "ticks" : "levels");
      setText(note.current, noteText(found.byTicks, { tickSize, decimals, theo }));
    };
  }, [chosen, count, tickSize]);

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      if (empty.current.hidden) return;
      const book = store.market.bookOf(chosen.id);
      setText(empty.current, book ? EMPTY : emptyText("book", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen]);

  return (
    <div className="ladder">
      <div className="rungs" ref={area}>
        <div role="table" aria-label={`Price ladder of ${chosen.name}`} ref={table} hidden>
          <div className="rung head" role="row">
            <span role="columnheader">Bid volume</span>
            <span role="columnheader">Price</span>
            <span role="columnheader">Ask volume</span>
          </div>
          {Array.from({ length: count }, (_, at) => (
            <Rung key={at} />
          ))}
        </div>
        <p className="empty" ref={empty}>
          Waiting for the order book.
        </p>
      </div>
      <p className="hint" ref={note} data-testid="ladder-mode" hidden />
    </div>
  );
}

function Rung() {
  return (
    <div className="rung" role="row" data-testid="ladder-row">
      <span role="cell" className="rung-bid">
        <i className="bar" aria-hidden="true" />
        <span className="figure" />
      </span>
      <span role="cell" className="rung-price figure" />
      <span role="cell" className="rung-ask">
        <i className="bar" aria-hidden="true" />
        <span className="figure" />
      </span>
    </div>
  );
}

function noteText(byTicks, { tickSize, decimals, theo }) {
  const tick = decimal(tickSize, decimals);
  const rows = byTicks ? `A row is a tick of ${tick}.` : `Rows are the book's levels, too far apart for ticks of ${tick}.`;
  return `${rows} Framed: last trade${theo === null ? "" : ", underlined: theoretical"}.`;
}
