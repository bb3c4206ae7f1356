// A tile for each instrument, with a search field. Those far below are asked for when
// one comes near them.

import { useEffect, useRef, useState } from "react";
import { PART } from "./finder.js";
import { NONE, plain } from "./format.js";
import { useFound, useShape } from "./hooks.js";
import { addressOf } from "./instruments.js";
import { PageLink, useGo } from "./link.jsx";
import { store } from "./store.js";

export function Tiles() {
  const { connection } = useShape();
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [shown, setShown] = useState(PART);
  const field = useRef(null);
  const grid = useRef(null);
  const answer = useFound(typed, shown);
  const tiles = answer?.rows.slice(0, shown) ?? [];

  const search = (event) => {
    setTyped(event.target.value);
    setShown(PART);
  };
  const pressed = (event) => {
    if (event.key === "Enter") store.finder.best(typed).then((best) => best && go(addressOf(best.id)));
    else if (event.key === "ArrowDown") focusTile(grid.current, 0, event);
    else if (event.key === "Escape") event.currentTarget.blur();
  };
  const moved = (event) => {
    const items = [...grid.current.children];
    const at = items.indexOf(document.activeElement.closest("li"));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columnsOf(items), ArrowUp: -columnsOf(items) }[event.key];
    if (at < 0 || !step) return;
    if (at + step < 0) {
      event.preventDefault();
      field.current.focus();
    } else focusTile(grid.current, at + step, event);
  };

  return (
    <>
      <div className="tiles-bar">
        <h1 id="page-title">Instruments</h1>
        <label className="sr-only" htmlFor="tile-search">
          Search instruments
        </label>
        <span className="search-field">
          <input
            id="tile-search"
            data-search=""
            ref={field}
            type="search"
            placeholder="Symbol, exchange or underlying"
            autoComplete="off"
            aria-keyshortcuts="/"
            value={typed}
            onChange={search}
            onKeyDown={pressed}
          />
          <kbd aria-hidden="true">/</kbd>
        </span>
        <span className="hint" role="status">
          {answer ? countText(answer) : ""}
        </span>
      </div>
      {tiles.length > 0 ? (
        <ul className="tiles" ref={grid} onKeyDown={moved} aria-label="Instruments">
          {tiles.map((each) => (
            <Tile key={each.id} instrument={each} />
          ))}
        </ul>
      ) : (
        <p className="empty panel">{emptyText(answer, typed, connection)}</p>
      )}
      {tiles.length === shown && answer.found > shown && <Sentinel onSeen={() => setShown(shown + PART)} />}
    </>
  );
}

function Tile({ instrument }) {
  const { id, symbol, exchange, underlying, tickSize, absoluteLimit, deltaLimit } = instrument;
  return (
    <li data-testid="instrument-tile" data-id={id}>
      <PageLink href={addressOf(id)} className="tile">
        <span className="tile-head">
          <b className="symbol">{symbol}</b> <span className="venue">{exchange}</span>
        </span>
        <dl className="facts">
          <Fact label="Tick size" value={tickSize} />
          <Fact label="Absolute limit" value={absoluteLimit} title="Largest position of a client in this instrument, either way." />
          <Fact label="Delta limit" value={deltaLimit} title="Largest sum of a client's positions in all instruments of the underlying." />
          <dt>Underlying</dt>
          <dd title={underlying ?? undefined}>{underlying ?? NONE}</dd>
        </dl>
      </PageLink>
    </li>
  );
}

function Fact({ label, value, title }) {
  return (
    <>
      <dt title={title}>{label}</dt>
      <dd className="figure">{value === null ? NONE : plain(value)}</dd>
    </>
  );
}

/** Grows the list when it comes near the window. */
function Sentinel({ onSeen }) {
  const element = useRef(null);
  useEffect(() => {
    // A page that is busy gets several entries at once, the newest last.
    const seen = (entries) => entries.at(-1).isIntersecting && onSeen();
    const observer = new IntersectionObserver(seen, { rootMargin: "800px" });
    observer.observe(element.current);
    return () => observer.disconnect();
  });
  return <div ref={element} className="sentinel" />;
}

function columnsOf(items) {
  const top = items[0]?.offsetTop;
  const next = items.findIndex((item) => item.offsetTop !== top);
  return next < 0 ? items.length : next;
}

function focusTile(grid, at, event) {
  const link = grid?.children[at]?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
}

function countText({ found, listed }) {
  if (found !== listed) return `${found} of ${listed} instruments`;
  return listed === 1 ? "1 instrument" : `${listed} instruments`;
}

function emptyText(answer, typed, connection) {
  if (!answer) return connection === "reconnecting" ? "The server does not answer." : "Waiting for the list.";
  if (typed) return `No instrument has “${typed}” in its symbol, exchange or underlying.`;
  return "The feeds have no instruments yet. They appear here as soon as one has.";
}
