// Chooses another instrument: a search field that narrows a list, and Go. While
// one searches, the list stands open below the field.

import { useMemo, useRef, useState } from "react";
import { useShape } from "./hooks.js";
import { addressOf, findInstruments } from "./instruments.js";
import { useGo } from "./link.jsx";

const FOUND = 200;
const OPEN_ROWS = 10;

/** What names an instrument in the list: its symbol, or its id where an earlier one has that symbol. */
function namesOf(instruments) {
  const seen = new Set();
  return new Map(
    instruments.map((each) => {
      const name = seen.has(each.symbol) ? each.id : each.symbol;
      seen.add(each.symbol);
      return [name, each];
    }),
  );
}

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
  const names = useMemo(() => namesOf(instruments ?? []), [instruments]);
  const found = useMemo(() => {
    const wanted = new Set(findInstruments([...names.values()], typed));
    const order = typed ? [...wanted].slice(0, FOUND) : [...wanted];
    const nameOf = new Map([...names].map(([name, each]) => [each, name]));
    return order.map((each) => [nameOf.get(each), each]);
  }, [names, typed]);

  const end = () => {
    setSearching(false);
    setTyped("");
  };
  const open = () => {
    const instrument = names.get(choice);
    if (!instrument) return;
    end();
    setChoice("");
    document.activeElement?.blur();
    go(addressOf(instrument.id));
  };
  const search = (text) => {
    setTyped(text);
    setSearching(true);
    const first = text.trim() ? findInstruments([...names.values()], text)[0] : null;
    const name = first && [...names].find(([, each]) => each === first)?.[0];
    setChoice(name ?? "");
  };
  const move = (by) => {
    setSearching(true);
    const at = found.findIndex(([name]) => name === choice);
    const next = Math.min(found.length - 1, Math.max(0, at + by));
    if (found.length) setChoice(found[at < 0 ? 0 : next][0]);
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
          {found.map(([name, each]) => (
            <option key={each.id} value={name}>
              {label(each)}
            </option>
          ))}
        </select>
      </span>
      <button id="go-button" type="button" disabled={!names.has(choice)} onClick={open}>
        Go
      </button>
    </div>
  );
}

function firstText(instruments, found) {
  if (!instruments) return "Loading instruments…";
  return instruments.length && !found.length ? "No instrument matches" : "Choose an instrument…";
}
