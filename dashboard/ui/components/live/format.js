// How numbers and times are written. Pure. The tick size decides a price's
// decimals, thin spaces group the thousands, a true minus sign is a minus.

const THIN_SPACE = "\u2009";
const MINUS = "\u2212";
export const NONE = "\u2014";
/** From here on numbers are written by their power of ten. */
export const LARGEST = 1e15;

/** Thin spaces between groups of three digits before the point. */
export function grouped(text) {
  const point = text.indexOf(".");
  let whole = point < 0 ? text : text.slice(0, point);
  const rest = point < 0 ? "" : text.slice(point);
  let out = "";
  while (whole.length > 3) {
    out = THIN_SPACE + whole.slice(-3) + out;
    whole = whole.slice(0, -3);
  }
  return whole + out + rest;
}

/** `value` with `decimals` digits after the point; a dash when there is none. */
export function decimal(value, decimals) {
  if (!Number.isFinite(value)) return NONE;
  const text = grouped(Math.abs(value).toFixed(decimals));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/**
 * A number with the decimals that it has, twenty at most, for digits beyond the fifteenth are noise;
 * beyond what they can show, an exponent.
 */
export function plain(value) {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if ((size > 0 && size < 1e-20) || size >= LARGEST) return scientific(value);
  const [digits, exponent] = value.toExponential(14).split("e");
  const decimals = (digits.split(".")[1] ?? "").replace(/0+$/, "").length - Number(exponent);
  return decimal(value, Math.min(20, Math.max(0, decimals)));
}

/** A change in percent of its base, which says nothing where that is not above zero: a dash. */
export function percent(change, base) {
  return base > 0 ? `${signed((100 * change) / base, 2)} %` : NONE;
}

/** A part in hundredths of a percent of a base, likewise. */
export function basisPoints(part, base) {
  return base > 0 ? decimal((1e4 * part) / base, 2) : NONE;
}

/** A number by its power of ten. */
export function scientific(value) {
  return value.toExponential(2).replaceAll("-", MINUS);
}

/** A whole number. */
export function integer(value) {
  return decimal(value, 0);
}

/** Like `decimal`, with a sign also when it is positive; zero has none. */
export function signed(value, decimals) {
  const text = decimal(value, decimals);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** Milliseconds: two decimals under 10, one under 100, else none. */
export function milliseconds(value) {
  return decimal(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

/** The day, UTC, of `ms` since the Unix epoch: 2021-04-17. */
export function dayOf(ms) {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : NONE;
}

/** Time of day, UTC, of `ms`, after the day where that is not the day of `now`. */
export function dayAndTime(ms, now = Date.now()) {
  return dayOf(ms) === dayOf(now) ? timeOfDay(ms) : `${dayOf(ms)} ${timeOfDay(ms)}`;
}

/** Time of day, UTC, of `ms` since the Unix epoch: 14:32:07, or 14:32:07.418 with `precise`. */
export function timeOfDay(ms, precise = false) {
  if (!Number.isFinite(ms)) return NONE;
  return new Date(ms).toISOString().slice(11, precise ? 23 : 19);
}

/** A length of time in whole units: 10 s, 3 min, 2 h. */
export function duration(seconds) {
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  return seconds < 3570 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** A length of whole seconds in the largest unit that it is whole in: 90 s, 15 min, 24 h. */
export function wholeDuration(seconds) {
  if (seconds % 60) return `${seconds} s`;
  return seconds % 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}

/** An age in seconds, in the unit that fits: 40 ms, 3.2 s, 5 min, 2 h. */
export function age(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  if (seconds < 1) return `${Math.round(Math.max(0, seconds) * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
