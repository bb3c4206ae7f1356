// Chooses another instrument: a search field that narrows a list, and Go. While
// one searches, the list stands open below the field.

import { useMemo, useRef, useState } from "react";
import { useShape } from "./hooks.js";
import { addressOf, findInstruments } from "./instruments.js";
import { useGo } from "./link.jsx";

const FOUND = 200;
const OPEN_ROWS = 10;

function label({ symbol, exchange, underlying }) {
  return underlying ? `${symbol} (${underlying}) · ${exchange}` : `${symbol} · ${exchange}`;
}

export function InstrumentSelector() {
  const { instruments } = useShape();
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [choice, setChoice] = useState("");
  const [searching, setSearching] = useState(false);
  const box = useRef(null);
  const found = useMemo(() => {
    const order = findInstruments(instruments ?? [], typed);
    return typed ? order.slice(0, FOUND) : order;
  }, [instruments, typed]);

  const end = () => {
    setSearching(false);
    setTyped("");
  };
  const open = () => {
    if (!choice) return;
    end();
    setChoice("");
    document.activeElement?.blur();
    go(addressOf(choice));
  };
  const search = (text) => {
    setTyped(text);
    setSearching(true);
    const first = text.trim() ? findInstruments(instruments ?? [], text)[0] : null;
    setChoice(first?.id ?? "");
  };
  const move = (by) => {
    setSearching(true);
    const at = found.findIndex(({ id }) => id === choice);
    const next = Math.min(found.length - 1, Math.max(0, at + by));
    if (found.length) setChoice(found[at < 0 ? 0 : next].id);
  };
  const pressed = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      open();
    } else if (event.key === "Escape") {
      end();
      event.currentTarget.blur();
    }
  };
  const left = (event) => {
    if (!box.current.contains(event.relatedTarget)) setSearching(false);
  };

  return (
    <div className="selector" role="search" aria-label="Instruments" ref={box} onBlur={left}>
      <label className="sr-only" htmlFor="instrument-search">
        Search instruments
      </label>
      <input
        id="instrument-search"
        data-search=""
        type="search"
        placeholder="Search"
        autoComplete="off"
        aria-controls="instrument-select"
        aria-keyshortcuts="/"
        value={typed}
        onFocus={() => setSearching(true)}
        onChange={(event) => search(event.target.value)}
        onKeyDown={pressed}
      />
      <kbd aria-hidden="true">/</kbd>
      <span className="select-place">
        <select
          id="instrument-select"
          aria-label="Instrument"
          size={searching ? Math.min(OPEN_ROWS, found.length + 1) : undefined}
          data-open={searching ? "" : undefined}
          value={choice}
          onChange={(event) => setChoice(event.target.value)}
          onDoubleClick={() => searching && open()}
          onKeyDown={(event) => event.key === "Enter" && open()}
        >
          <option value="">{firstText(instruments, found)}</option>
          {found.map((each) => (
            <option key={each.id} value={each.id}>
              {label(each)}
            </option>
          ))}
        </select>
      </span>
      <button id="go-button" type="button" disabled={!choice} onClick={open}>
        Go
      </button>
    </div>
  );
}

function firstText(instruments, found) {
  if (!instruments) return "Loading instruments…";
  return instruments.length && !found.length ? "No instrument matches" : "Choose an instrument…";
}
