// The editor of the watchlist: add, remove, reorder.

import { useLayoutEffect, useRef, useState } from "react";
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
  const root = useRef(null);
  const focusThen = useFocusThen(root, ids.join(" "));
  const move = (at, by) => {
    const list = [...ids];
    list.splice(at + by, 0, ...list.splice(at, 1));
    focusThen(`ol li:nth-child(${at + by + 1}) [data-act="${by}"]`, `ol li:nth-child(${at + by + 1}) [data-act="${-by}"]`);
    set(list);
  };
  const remove = (at) => {
    focusThen(`ol li:nth-child(${at + 1}) [data-act="remove"]`, 'ol li:last-child [data-act="remove"]');
    set(ids.filter((_, each) => each !== at));
  };
  const add = (id, at) => {
    focusThen(`ul li:nth-child(${at + 1}) [data-act="add"]`, 'ul li:last-child [data-act="add"]');
    set([...ids, id]);
  };

  return (
    <div className="watchlist-editor" ref={root}>
      <p className="hint">
        {watched.length} of {known} symbols shown, at most {MOST}. Remembered in this browser.
      </p>
      <ol>
        {watched.map(({ id, name }, at) => (
          <li key={id}>
            <span>{name}</span>
            <Step name="-1" label={`Move ${name} up`} path="M4 10l4-4 4 4" off={at === 0} act={() => move(at, -1)} />
            <Step
              name="1"
              label={`Move ${name} down`}
              path="M4 6l4 4 4-4"
              off={at === ids.length - 1}
              act={() => move(at, 1)}
            />
            <Step name="remove" label={`Remove ${name}`} path="M4 4l8 8M12 4l-8 8" act={() => remove(at)} />
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
        {found.map(({ id, symbol, exchange }, at) => (
          <li key={id}>
            <span>
              {symbol} <span className="venue">{exchange}</span>
            </span>
            <Step
              name="add"
              label={`Add ${names.get(id)}`}
              path="M8 3v10M3 8h10"
              off={ids.length >= MOST}
              act={() => add(id, at)}
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

/**
 * A function that takes selectors: once the list has changed, the first of them that finds a button
 * within `root` that is on has the focus, which would go with its row; or else the field has it.
 */
function useFocusThen(root, list) {
  const wanted = useRef(null);
  useLayoutEffect(() => {
    const selectors = wanted.current;
    wanted.current = null;
    if (!selectors) return;
    const found = selectors.map((each) => root.current.querySelector(`${each}:not(:disabled)`));
    (found.find(Boolean) ?? root.current.querySelector("input")).focus();
  }, [list]);
  return (...selectors) => {
    wanted.current = selectors;
  };
}

function Step({ name, label, path, off = false, act }) {
  return (
    <button
      type="button"
      className="icon-button"
      data-act={name}
      aria-label={label}
      title={label}
      disabled={off}
      onClick={act}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
      </svg>
    </button>
  );
}
