// Pause and reset, and their keys.

import { useEffect } from "react";
import { useShape } from "./hooks.js";
import { store } from "./store.js";

export function togglePause() {
  store.setPaused(!store.paused);
}

export function resetMetrics() {
  store.reset();
  store.show();
}

/** Whether keys go to a field, or to a dialog. */
export function typing(target) {
  return target instanceof Element && Boolean(target.closest("input, select, textarea, [contenteditable], dialog"));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  if (event.key === "p" || event.key === "P") togglePause();
  else if (event.key === "r" || event.key === "R") resetMetrics();
}

export function PauseButton() {
  const { paused } = useShape();
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <button id="pause" type="button" aria-pressed={paused} aria-keyshortcuts="P" onClick={togglePause}>
      {paused ? "Resume" : "Pause"} <kbd aria-hidden="true">P</kbd>
    </button>
  );
}

export function ResetButton() {
  return (
    <button
      id="reset"
      type="button"
      aria-keyshortcuts="R"
      title="Clear the windows, totals and statistics; drops are counted from now"
      onClick={resetMetrics}
    >
      Reset all metrics <kbd aria-hidden="true">R</kbd>
    </button>
  );
}
