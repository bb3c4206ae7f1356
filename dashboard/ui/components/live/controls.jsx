// Pause and reset, their keys, and the way back from a reset.

import { useEffect, useRef } from "react";
import { useRootAttribute, useShape } from "./hooks.js";
import { singleKeys } from "./preferences.js";
import { store } from "./store.js";

const UNDO_MS = 10_000;

export function togglePause() {
  store.setPaused(!store.paused);
}

export function resetMetrics() {
  store.reset();
  store.show();
}

export function undoReset() {
  store.undoReset();
  store.show();
}

/** Whether keys go to a field, or to a dialog. */
export function typing(target) {
  return target instanceof Element && Boolean(target.closest("input, select, textarea, [contenteditable], dialog"));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (!singleKeys() || typing(event.target)) return;
  if (event.key === "p" || event.key === "P") togglePause();
  else if (event.key === "r" || event.key === "R") resetMetrics();
}

/** The name of a key for its button, as long as single keys are commands. */
function useKeyName(key) {
  return useRootAttribute("data-keys") === "off" ? undefined : key;
}

export function PauseButton() {
  const { paused } = useShape();
  const keyName = useKeyName("P");
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <button id="pause" type="button" aria-pressed={paused} aria-keyshortcuts={keyName} onClick={togglePause}>
      {paused ? "Resume" : "Pause"} <kbd aria-hidden="true">P</kbd>
    </button>
  );
}

export function ResetButton() {
  const keyName = useKeyName("R");
  return (
    <button
      id="reset"
      type="button"
      aria-keyshortcuts={keyName}
      title="Clear the windows, totals and statistics; drops are counted from now"
      onClick={resetMetrics}
    >
      Reset all metrics <kbd aria-hidden="true">R</kbd>
    </button>
  );
}

/** Says that the measurements were reset, and brings them back, for some seconds or while one is at it. */
export function ResetNotice() {
  const { undoable } = useShape();
  const notice = useRef(null);
  useEffect(() => {
    if (!undoable) return undefined;
    const settle = () => {
      if (notice.current.matches(":hover, :focus-within")) timer = setTimeout(settle, UNDO_MS);
      else store.settleReset();
    };
    let timer = setTimeout(settle, UNDO_MS);
    return () => clearTimeout(timer);
  }, [undoable]);
  const undo = () => {
    undoReset();
    document.getElementById("pause")?.focus(); // the button goes
  };
  return (
    <div role="status" ref={notice}>
      {undoable > 0 && (
        <p className="notice">
          All metrics were reset.
          <button type="button" onClick={undo}>
            Undo
          </button>
        </p>
      )}
    </div>
  );
}
