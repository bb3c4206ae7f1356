// How far the arrival of pushes is off the display's frames. Pure.
//
// The wait of a push is the time until the frame that paints it, modulo the
// frame period, so it is a position on a circle: 1 ms and 16 ms are neighbours.

import { percentile } from "./statistics.js";

export const LEAD_MS = 3;
export const MIN_SAMPLES = 16;
const MIN_RESULTANT = 0.5;
const LOW = 0.1;

/** `value` modulo `period`, in -period/2 .. period/2. */
export function wrap(value, period) {
  return value - period * Math.round(value / period);
}

/** Circular mean (0..period) and resultant length (0..1) of waits in ms. */
export function circularMean(waits, period) {
  let x = 0;
  let y = 0;
  for (const wait of waits) {
    const angle = (2 * Math.PI * wait) / period;
    x += Math.cos(angle);
    y += Math.sin(angle);
  }
  const mean = (Math.atan2(y, x) / (2 * Math.PI)) * period;
  return { mean: (mean + period) % period, resultant: Math.hypot(x, y) / waits.length };
}

/**
 * How much later (positive) pushes should arrive so that nearly all of them
 * come a lead of 3 ms before their frame; 0 when the waits show no phase.
 */
export function wantedShift(waits, period) {
  if (!waits.length) return 0;
  const { mean, resultant } = circularMean(waits, period);
  if (resultant < MIN_RESULTANT) return 0;
  const deviations = waits.map((wait) => wrap(wait - mean, period)).sort((a, b) => a - b);
  return wrap(mean + percentile(deviations, LOW) - LEAD_MS, period);
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
