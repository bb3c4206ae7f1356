// The frequency setting's arithmetic. Pure; all in ms.

export const MIN_MS = 10;
export const MAX_MS = 1000;
const RANGE = Math.log(MAX_MS / MIN_MS);

/** A whole number of ms from what was typed, or null. */
export function parsed(text) {
  const value = Number(text);
  return String(text).trim() === "" || !Number.isFinite(value) ? null : Math.round(value);
}

export function clamped(ms) {
  return ms === null ? undefined : Math.min(MAX_MS, Math.max(MIN_MS, ms));
}

/** The slider's place, 0 to 100, of a setting: each tenth is the same factor. */
export function toSlider(ms) {
  return (100 * Math.log(ms / MIN_MS)) / RANGE;
}

/** The setting at a place of the slider, rounded to what a hand can mean. */
export function fromSlider(place) {
  const ms = MIN_MS * Math.exp((place / 100) * RANGE);
  const step = ms < 50 ? 1 : ms < 200 ? 5 : 10;
  return clamped(Math.round(ms / step) * step);
}

/** What the page makes of the setting. */
export function pushText(frequencyMs, intervalMs) {
  if (!frequencyMs || !intervalMs) return "Waiting for the server.";
  const every = `The page is pushed every ${intervalMs.toFixed(1)} ms`;
  if (intervalMs < 25) return `${every}: one a display frame, with every message since.`;
  return `${every}, in step with the display, with every message since.`;
}
