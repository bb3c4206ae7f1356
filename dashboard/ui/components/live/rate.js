// Messages and pushes per second, from the arrivals of pushes. Pure.

import { Ring } from "./statistics.js";

const ARRIVALS = 512;
const SPAN_MS = 1000;
const SILENT_MS = 2500;

/**
 * Counts over the newest whole pushes that span at least a second, so that slow
 * pushes give a steady figure too.
 */
export class Rate {
  constructor() {
    this.times = new Ring(ARRIVALS);
    this.totals = new Ring(ARRIVALS);
    this.total = 0;
  }

  clear() {
    this.times.clear();
    this.totals.clear();
    this.total = 0;
  }

  /** Note a push of `count` messages that came at `now` in ms. */
  add(now, count) {
    this.total += count;
    this.times.push(now);
    this.totals.push(this.total);
  }

  /** { messages, pushes } per second at `now`; zero after silence, null before the second push. */
  at(now) {
    const newest = this.times.length - 1;
    if (newest < 1) return null;
    const end = this.times.at(newest);
    if (now - end > SILENT_MS) return { messages: 0, pushes: 0 };
    let from = newest - 1;
    while (from > 0 && end - this.times.at(from) < SPAN_MS) from -= 1;
    const seconds = (end - this.times.at(from)) / 1000;
    if (!(seconds > 0)) return null;
    return {
      messages: (this.totals.at(newest) - this.totals.at(from)) / seconds,
      pushes: (newest - from) / seconds,
    };
  }
}
