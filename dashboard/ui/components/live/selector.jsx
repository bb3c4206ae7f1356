// Chooses another instrument: a search field that narrows a list, and Go. While
// one searches, the list stands open below the field.

import { useRef, useState } from "react";
import { questionOf } from "./finder.js";
import { useFound } from "./hooks.js";
import { NO_INSTRUMENT, addressOf } from "./instruments.js";
import { useGo } from "./link.jsx";
import { store } from "./store.js";

const OPEN_ROWS = 10;

function label({ symbol, exchange, underlying }) {
  return underlying ? `${symbol} (${underlying}) · ${exchange}` : `${symbol} · ${exchange}`;
}

export function InstrumentSelector() {
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [picked, setPicked] = useState(null);
  const [searching, setSearching] = useState(false);
  const box = useRef(null);
  const answer = useFound(typed);
  const rows = answer?.rows ?? [];
  const best = typed.trim() && answer?.text === questionOf(typed) ? rows[0] : undefined;
  const choice = picked ?? best ?? NO_INSTRUMENT;
  const options = choice.id && !rows.some(({ id }) => id === choice.id) ? [choice, ...rows] : rows;

  const end = (kept) => {
    setSearching(false);
    setTyped("");
    setPicked(kept);
  };
  const open = (instrument) => {
    if (!instrument?.id) return;
    end(null);
    document.activeElement?.blur();
    go(addressOf(instrument.id));
  };
  const openBest = () => {
    if (picked || !typed.trim()) open(choice);
    else store.finder.best(typed).then(open);
  };
  const search = (text) => {
    setTyped(text);
    setSearching(true);
    setPicked(null);
  };
  const move = (by) => {
    setSearching(true);
    const at = options.findIndex(({ id }) => id === choice.id);
    const next = Math.min(options.length - 1, Math.max(0, at + by));
    if (options.length) setPicked(options[at < 0 ? 0 : next]);
  };
  const pressed = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      openBest();
    } else if (event.key === "Escape") {
      end(choice);
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
          size={searching ? Math.min(OPEN_ROWS, options.length + 1) : undefined}
          data-open={searching ? "" : undefined}
          value={choice.id}
          onChange={(event) => setPicked(options.find(({ id }) => id === event.target.value) ?? NO_INSTRUMENT)}
          onDoubleClick={() => searching && open(choice)}
          onKeyDown={(event) => event.key === "Enter" && open(choice)}
        >
          <option value="">{firstText(answer)}</option>
          {options.map((each) => (
            <option key={each.id} value={each.id}>
              {label(each)}
            </option>
          ))}
          {answer && answer.found > rows.length && (
            <option disabled>{`${answer.found - rows.length} more: search for one`}</option>
          )}
        </select>
      </span>
      <button id="go-button" type="button" disabled={!choice.id} onClick={() => open(choice)}>
        Go
      </button>
    </div>
  );
}

function firstText(answer) {
  if (!answer) return "Loading instruments…";
  return answer.listed && !answer.found ? "No instrument matches" : "Choose an instrument…";
}
