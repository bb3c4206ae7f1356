// The editor of the watchlist: add, remove, reorder.

import { useState } from "react";
import { useFound, useShape } from "./hooks.js";
import { namesOf } from "./instruments.js";
import { store } from "./store.js";

const MOST = 50;
const SHOWN = 30;

export function WatchlistEditor() {
  const { watched, known } = useShape();
  const [sought, setSought] = useState("");
  const [opened, setOpened] = useState(false);
  const answer = useFound(opened ? sought : null);
  const ids = watched.map(({ id }) => id);
  const set = (list) => store.actions.watch?.(list);
  const found = (answer?.rows ?? []).filter(({ id }) => !ids.includes(id)).slice(0, SHOWN);
  const names = namesOf([...watched, ...found]);
  const move = (at, by) => {
    const list = [...ids];
    list.splice(at + by, 0, ...list.splice(at, 1));
    set(list);
  };

  return (
    <div className="watchlist-editor">
      <p className="hint">
        {watched.length} of {known} symbols shown, at most {MOST}. Remembered in this browser.
      </p>
      <ol>
        {watched.map(({ id, name }, at) => (
          <li key={id}>
            <span>{name}</span>
            <Step label={`Move ${name} up`} path="M4 10l4-4 4 4" off={at === 0} act={() => move(at, -1)} />
            <Step
              label={`Move ${name} down`}
              path="M4 6l4 4 4-4"
              off={at === ids.length - 1}
              act={() => move(at, 1)}
            />
            <Step label={`Remove ${name}`} path="M4 4l8 8M12 4l-8 8" act={() => set(ids.filter((each) => each !== id))} />
          </li>
        ))}
      </ol>
      <label htmlFor="add-symbol">Add a symbol</label>
      <input
        id="add-symbol"
        type="search"
        autoComplete="off"
        value={sought}
        onFocus={() => setOpened(true)}
        onChange={(event) => setSought(event.target.value)}
      />
      <ul>
        {found.map(({ id, symbol, exchange }) => (
          <li key={id}>
            <span>
              {symbol} <span className="venue">{exchange}</span>
            </span>
            <Step
              label={`Add ${names.get(id)}`}
              path="M8 3v10M3 8h10"
              off={ids.length >= MOST}
              act={() => set([...ids, id])}
            />
          </li>
        ))}
      </ul>
      {answer && !found.length && (
        <p className="hint">{sought ? "No other symbol matches." : "Every symbol is on the list."}</p>
      )}
      <button type="button" onClick={() => set(null)}>
        Back to the default list
      </button>
    </div>
  );
}

function Step({ label, path, off = false, act }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} disabled={off} onClick={act}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
      </svg>
    </button>
  );
}
