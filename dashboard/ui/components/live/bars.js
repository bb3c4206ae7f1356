// The bars of one instrument, as its candle chart has them. Pure.

import { BAR, BARS } from "./columns.js";

const MOST = 1500;
/** A hole of more empty intervals than this is drawn as one. */
const MOST_EMPTY = 120;

export const INTERVALS = [
  ["1s", "1 s", 1],
  ["1m", "1 min", 60],
];

/** `rows` are in the order of their start, see columns.js. */
export class Bars {
  constructor() {
    this.interval = INTERVALS[0][0];
    this.rows = [];
    this.whole = 0;
    this.version = 0;
    /** Starts of the bars that are new or have changed since the chart took them. */
    this.fresh = new Set();
  }

  clear() {
    this.rows = [];
    this.whole += 1;
    this.version += 1;
    this.fresh.clear();
  }

  /** Show another interval: what is here is of no use for it. */
  choose(interval) {
    this.interval = interval;
    this.clear();
  }

  /** Take a batch's bars; false, and nothing is taken, when they are of another interval. */
  take(part) {
    if (part[BARS.interval] !== this.interval) return false;
    if (part[BARS.whole]) this.clear();
    for (const row of part[BARS.rows]) {
      const start = row[BAR.start];
      const at = this.indexOf(start);
      this.rows.splice(at, this.rows[at]?.[BAR.start] === start ? 1 : 0, row);
      this.fresh.add(start);
    }
    for (const row of this.rows.splice(0, Math.max(0, this.rows.length - MOST))) this.fresh.delete(row[BAR.start]);
    this.version += 1;
    return true;
  }

  /** The indexes of the bars that are new or have changed since the last time, oldest first. */
  takeFresh() {
    const indexes = [...this.fresh].sort((a, b) => a - b).map((start) => this.indexOf(start));
    this.fresh.clear();
    return indexes;
  }

  /** The index of the bar that begins then, or where it would stand. */
  indexOf(start) {
    let low = 0;
    let high = this.rows.length;
    if (high && this.rows[high - 1][BAR.start] < start) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle][BAR.start] < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get last() {
    return this.rows[this.rows.length - 1];
  }
}

/** The times, in s, of the empty intervals between two bars. */
export function emptyBetween(before, after, seconds) {
  const times = [];
  for (let time = before + seconds; time < after && times.length < MOST_EMPTY; time += seconds) times.push(time);
  return times;
}
