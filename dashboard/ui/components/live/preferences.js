// What this browser remembers. The theme itself is Reflex's (its provider keeps it under "theme");
// the rest is ours. The look and the keys stand as attributes of the root too, where ui/theme.py
// puts them before the first paint.

/** Samples that a card's prices may span. */
export const SAMPLES = [200, 500, 1000, 2000];

export const THEMES = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];
export const PAIRS = [
  ["green-red", "Green and red"],
  ["blue-orange", "Blue and orange"],
];
export const KEYS = [
  ["on", "P pauses, R resets, / searches"],
  ["off", "Off"],
];

/** Use a colour pair for up and down, and remember it. */
export function applyPair(pair) {
  remember("pair", pair);
}

/** Let single keys be commands, or not, and remember it. */
export function applyKeys(keys) {
  remember("keys", keys);
}

/** Whether a single key is a command. */
export function singleKeys() {
  return document.documentElement.dataset.keys !== "off";
}

/** Over how many samples a card spans. */
export function readSamples() {
  return SAMPLES.find((each) => String(each) === recalled("sample-window")) ?? SAMPLES[0];
}

/** Span so many, and remember it. */
export function rememberSamples(samples) {
  keep("sample-window", samples);
}

function remember(name, value) {
  document.documentElement.dataset[name] = value;
  keep(name, value);
}

function recalled(name) {
  try {
    return localStorage.getItem(`livetape-${name}`);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`livetape-${name}`, value);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}
