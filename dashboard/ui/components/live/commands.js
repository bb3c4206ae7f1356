// What the command palette offers. `find` is pure.

import { resetMetrics, togglePause, undoReset } from "./controls.jsx";
import { MAX_MS, MIN_MS } from "./frequency.js";
import { addressOf } from "./instruments.js";
import { PAIRS, THEMES, applyPair } from "./preferences.js";
import { store } from "./store.js";

const PRESETS = [10, 20, 50, 100, 250, 1000];
const SHOWN = 12;
const GO = "Go to instrument";

/** What typed words seek among the instruments; those of the command itself only say that one is sought. */
export function soughtIn(typed) {
  const words = typed.split(/\s+/).filter((word) => !GO.toLowerCase().includes(word.toLowerCase()));
  return words.join(" ");
}

/**
 * Every command now: [words, what it does]; `instruments` are those that were found for what was typed.
 * What needs the server is left out while it does not answer.
 */
export function commands({ watched, paused, mayControl, undoable, reachable }, instruments, { setColorMode, go }) {
  const books = reachable && watched.length > 1 ? watched : [];
  return [
    ...books.map(({ id, symbol, exchange }) => [`Order book of ${symbol} ${exchange}`, () => store.choose(id)]),
    ...(reachable ? instruments : []).map(({ id, symbol, exchange }) => [`${GO} ${symbol} ${exchange}`, () => go(addressOf(id))]),
    [paused ? "Resume" : "Pause", togglePause],
    ["Reset all metrics", resetMetrics],
    ...(undoable ? [["Undo the reset", undoReset]] : []),
    ...(reachable && mayControl ? PRESETS.map(frequency) : []),
    ...THEMES.map(([key, label]) => [`Theme: ${label.toLowerCase()}`, () => setColorMode(key)]),
    ...PAIRS.map(([key, label]) => [`Up and down: ${label.toLowerCase()}`, () => applyPair(key)]),
    ...(watchlist() ? [["Edit the watchlist", () => watchlist().showPopover()]] : []),
    ["Go to all instruments", () => go("/instruments/")],
    ["Settings", () => document.getElementById("settings")?.showPopover()],
  ];
}

function watchlist() {
  return document.getElementById("watchlist");
}

function frequency(ms) {
  return [`Update interval ${ms} ms`, () => store.actions.frequency?.(ms)];
}

/** The commands that hold every typed word; a number is an update interval, where the page may set it. */
export function find(all, typed, { mayControl, reachable }) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(([text]) => words.every((word) => text.toLowerCase().includes(word)));
  const number = Number(words.find((word) => /^\d+$/.test(word)));
  const settable = reachable && mayControl && number >= MIN_MS && number <= MAX_MS;
  if (settable && !PRESETS.includes(number)) found.unshift(frequency(number));
  return found.slice(0, SHOWN);
}
