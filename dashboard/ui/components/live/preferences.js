// What this browser remembers of the look. The theme itself is Reflex's (its
// provider keeps it under "theme"); the rest is ours.

const PAIR_KEY = "livetape-pair";
const SAMPLES_KEY = "livetape-sample-window";

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

export function readPair() {
  return document.documentElement.dataset.pair ?? PAIRS[0][0];
}

/** Use a colour pair for up and down, and remember it. */
export function applyPair(pair) {
  document.documentElement.dataset.pair = pair;
  remember(PAIR_KEY, pair);
}

export function readSamples() {
  return SAMPLES.find((each) => String(each) === recalled(SAMPLES_KEY)) ?? SAMPLES[0];
}

export function rememberSamples(samples) {
  remember(SAMPLES_KEY, samples);
}

function recalled(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}
