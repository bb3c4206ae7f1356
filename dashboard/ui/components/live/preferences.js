// What this browser remembers of the look and the keys. The theme itself is Reflex's (its
// provider keeps it under "theme"); the rest is ours, and stands as an attribute of the root
// too, where ui/theme.py puts it before the first paint.

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

function remember(name, value) {
  document.documentElement.dataset[name] = value;
  try {
    localStorage.setItem(`livetape-${name}`, value);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}
