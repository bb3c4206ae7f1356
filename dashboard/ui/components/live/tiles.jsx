// A tile for each instrument, with a search field. Tiles far below are made when
// one comes near them.

import { useEffect, useMemo, useRef, useState } from "react";
import { NONE, plain } from "./format.js";
import { useShape } from "./hooks.js";
import { addressOf, findInstruments } from "./instruments.js";
import { PageLink, useGo } from "./link.jsx";

const AT_FIRST = 240;
const MORE = 480;

export function Tiles() {
  const { instruments, connection } = useShape();
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [shown, setShown] = useState(AT_FIRST);
  const field = useRef(null);
  const grid = useRef(null);
  const found = useMemo(() => findInstruments(instruments ?? [], typed), [instruments, typed]);

  const search = (event) => {
    setTyped(event.target.value);
    setShown(AT_FIRST);
  };
  const pressed = (event) => {
    if (event.key === "Enter" && found.length) go(addressOf(found[0].id));
    else if (event.key === "ArrowDown" && found.length) focusTile(grid.current, 0, event);
    else if (event.key === "Escape") event.currentTarget.blur();
  };
  const moved = (event) => {
    const tiles = [...grid.current.children];
    const at = tiles.indexOf(document.activeElement.closest("li"));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columnsOf(tiles), ArrowUp: -columnsOf(tiles) }[event.key];
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
          {instruments ? countText(found.length, instruments.length) : ""}
        </span>
      </div>
      {found.length > 0 ? (
        <ul className="tiles" ref={grid} onKeyDown={moved} aria-label="Instruments">
          {found.slice(0, shown).map((each) => (
            <Tile key={each.id} instrument={each} />
          ))}
        </ul>
      ) : (
        <p className="empty panel">{emptyText(instruments, typed, connection)}</p>
      )}
      {found.length > shown && <Sentinel onSeen={() => setShown(shown + MORE)} />}
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
          <dd>{underlying ?? NONE}</dd>
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

function columnsOf(tiles) {
  const top = tiles[0]?.offsetTop;
  const next = tiles.findIndex((tile) => tile.offsetTop !== top);
  return next < 0 ? tiles.length : next;
}

function focusTile(grid, at, event) {
  const link = grid?.children[at]?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
}

function countText(found, all) {
  if (found !== all) return `${found} of ${all} instruments`;
  return all === 1 ? "1 instrument" : `${all} instruments`;
}

function emptyText(instruments, typed, connection) {
  if (!instruments) return connection === "reconnecting" ? "The server does not answer." : "Waiting for the list.";
  if (typed) return `No instrument has “${typed}” in its symbol, exchange or underlying.`;
  return "The feeds have no instruments yet. They appear here as soon as one has.";
}
