// The order book of the chosen symbol: asks above, bids below, the spread between.

import { useRef } from "react";
import { NONE, basisPoints, decimal } from "./format.js";
import { setText, useCountedPainter, useShape, useSlowPainter } from "./hooks.js";
import { addressOf } from "./instruments.js";
import { PageLink } from "./link.jsx";
import { store } from "./store.js";
import { emptyText } from "./waiting.js";

const LEVELS = 5;
/** Decimals of a price from which on the spread leaves no room for itself beside its basis points. */
const LONG_DECIMALS = 6;

const PARTIAL = "The book began without a snapshot: levels that have not changed since are missing.";

/** A side's rows, best first, from flat [price, size, ...]; gives the size of all. */
function depth(flat) {
  let sum = 0;
  const rows = [];
  for (let i = 0; i < Math.min(flat.length, 2 * LEVELS); i += 2) {
    sum += flat[i + 1];
    rows.push([flat[i], flat[i + 1], sum]);
  }
  return { rows, sum };
}

function writeSide(elements, rows, full, { decimals, sizes }) {
  for (const [at, element] of elements.entries()) {
    const level = rows[at];
    const [bar, price, size, total] = element.children;
    setText(price, level ? decimal(level[0], decimals) : NONE);
    setText(size, level ? sizes.text(level[1]) : NONE);
    setText(total, level ? sizes.text(level[2]) : NONE);
    bar.style.transform = `scaleX(${level ? (level[2] / full).toFixed(3) : 0})`;
    if (level) element.dataset.value = level[0];
    else delete element.dataset.value;
  }
}

function spreadText(spread, mid, decimals) {
  const points = mid > 0 ? `${basisPoints(spread, mid)} bp` : NONE;
  return decimals < LONG_DECIMALS ? `${decimal(spread, decimals)} · ${points}` : points;
}

function writeBook(root, book) {
  const asks = depth(book.asks);
  const bids = depth(book.bids);
  const full = Math.max(asks.sum, bids.sum) || 1;
  const written = { decimals: book.decimals, sizes: store.market.sizesOf(book.id) };
  writeSide(root.asks, asks.rows, full, written);
  writeSide(root.bids, bids.rows, full, written);
  const best = asks.rows.length && bids.rows.length;
  const mid = best ? (asks.rows[0][0] + bids.rows[0][0]) / 2 : NaN;
  const spread = best ? asks.rows[0][0] - bids.rows[0][0] : NaN;
  setText(root.mid, decimal(mid, book.decimals));
  setText(root.spread, best ? spreadText(spread, mid, book.decimals) : NONE);
  root.spread.title = best ? decimal(spread, book.decimals) : "";
  const share = bids.sum + asks.sum > 0 ? bids.sum / (bids.sum + asks.sum) : 0.5;
  root.balance.style.transform = `scaleX(${share.toFixed(3)})`;
  setText(root.bidShare, `${Math.round(100 * share)} % bid`);
  setText(root.askShare, `${100 - Math.round(100 * share)} % ask`);
}

function parts(table) {
  const asks = [...table.querySelectorAll('[data-testid="book-ask"]')].reverse();
  const bids = [...table.querySelectorAll('[data-testid="book-bid"]')];
  const [mid, spread] = table.querySelectorAll(".spread .figure");
  const [bidShare, askShare] = table.querySelectorAll(".balance-text span");
  return { asks, bids, mid, spread, bidShare, askShare, balance: table.querySelector(".balance i") };
}

export function Book() {
  const { chosen } = useShape();
  const table = useRef(null);
  const empty = useRef(null);

  useCountedPainter("beat", () => {
    const root = parts(table.current);
    let painted = null;
    return () => {
      const book = store.market.bookOf(chosen.id);
      if (book && book !== painted) writeBook(root, book);
      painted = book;
    };
  }, [chosen]);

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      const book = store.market.bookOf(chosen.id);
      table.current.hidden = !book;
      empty.current.hidden = Boolean(book);
      if (!book) setText(empty.current, emptyText("book", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen]);

  return (
    <>
      <div className="book" role="table" aria-label={`Order book of ${chosen.name}`} ref={table} hidden>
        <div className="level head" role="row">
          <i />
          <span role="columnheader">Price</span>
          <span role="columnheader">Size</span>
          <span role="columnheader">Total</span>
        </div>
        {levels("ask")}
        <div className="spread" role="row">
          <span role="cell">
            <span className="sr-only">mid price </span>
            <b className="figure">{NONE}</b>
          </span>
          <span role="cell">
            spread <span className="figure">{NONE}</span>
          </span>
        </div>
        {levels("bid")}
        <div className="balance" title="Share of the five levels' size on each side">
          <div className="balance-text">
            <span />
            <span />
          </div>
          <i aria-hidden="true" />
        </div>
      </div>
      <p className="empty" ref={empty}>
        Waiting for the order book.
      </p>
    </>
  );
}

function levels(side) {
  return Array.from({ length: LEVELS }, (_, at) => (
    <div className="level" role="row" data-side={side} data-testid={`book-${side}`} key={at}>
      <i className="bar" aria-hidden="true" />
      <span role="cell" className="figure level-price">
        {NONE}
      </span>
      <span role="cell" className="figure">
        {NONE}
      </span>
      <span role="cell" className="figure">
        {NONE}
      </span>
    </div>
  ));
}

/** The chosen symbol, for the panel's title, and that its book is partial while it is. */
export function Chosen() {
  const { chosen } = useShape();
  const note = useRef(null);
  useCountedPainter("beat", () => () => {
    note.current.hidden = !store.market.bookOf(chosen.id)?.partial;
  }, [chosen]);
  return (
    <>
      <span className="note" ref={note} data-testid="book-partial" title={PARTIAL} hidden>
        partial
      </span>
      {chosen.id ? (
        <PageLink href={addressOf(chosen.id)} className="open" title={`Open the page of ${chosen.name}`}>
          {chosen.name}
        </PageLink>
      ) : null}
    </>
  );
}
