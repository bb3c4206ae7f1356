// What this browser remembers of the look. The theme itself is Reflex's (its
// provider keeps it under "theme"); the colour pair is ours.

const PAIR_KEY = "livetape-pair";

export const THEMES = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];
export const PAIRS = [
  ["green-red", "Green and red"],
  ["blue-orange", "Blue and orange"],
];

export function readPair() {
  return document.documentElement.dataset.pair ?? PAIRS[0][0];
}

/** Use a colour pair for up and down, and remember it. */
export function applyPair(pair) {
  document.documentElement.dataset.pair = pair;
  try {
    localStorage.setItem(PAIR_KEY, pair);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}
