// How far the arrival of pushes is off the display's frames. Pure.
//
// The wait of a push is the time until the frame that paints it, modulo the
// frame period, so it is a position on a circle: 1 ms and 16 ms are neighbours.

import { percentile } from "./statistics.js";

export const LEAD_MS = 3;
export const MIN_SAMPLES = 16;
const HELD = 0.95;
/** Waits that are spread over more of a period have no phase. */
const MOST_SPREAD = 0.8;

/** `value` modulo `period`, in -period/2 .. period/2. */
export function wrap(value, period) {
  return value - period * Math.round(value / period);
}

/** The shortest arc that holds nearly all positions on a circle: where it begins, and how long it is. */
export function shortestArc(positions, period) {
  const sorted = positions.map((each) => each - period * Math.floor(each / period)).sort((a, b) => a - b);
  const held = Math.floor((sorted.length - 1) * HELD);
  let best = { start: 0, length: Infinity };
  for (let first = 0; first < sorted.length; first += 1) {
    const last = first + held;
    const end = last < sorted.length ? sorted[last] : sorted[last - sorted.length] + period;
    if (end - sorted[first] < best.length) best = { start: sorted[first], length: end - sorted[first] };
  }
  return best;
}

/**
 * How much later (positive) pushes should arrive so that nearly all of them come a lead of 3 ms
 * or more before their frame, and none of those much more: that makes their p95 least. It is 0
 * when the waits show no phase.
 */
export function wantedShift(waits, period) {
  if (!waits.length) return 0;
  const { start, length } = shortestArc(waits, period);
  return length > MOST_SPREAD * period ? 0 : wrap(start - LEAD_MS, period);
}

/** The display's frame period from the times of successive frames; frames left out are allowed for. */
export function framePeriod(times) {
  const gaps = [];
  for (let i = 1; i < times.length; i += 1) gaps.push(times[i] - times[i - 1]);
  if (!gaps.length) return undefined;
  const typical = percentile([...gaps].sort((a, b) => a - b), 0.5);
  let frames = 0;
  for (const gap of gaps) frames += Math.max(1, Math.round(gap / typical));
  return (times[times.length - 1] - times[0]) / frames;
}
