// The bars of one instrument, as its candle chart has them. Pure.

import { BAR, BARS } from "./columns.js";

const MOST = 1500;
/** A hole of more empty intervals than this is drawn as one. */
const MOST_EMPTY = 120;

export const INTERVALS = [
  ["1s", "1 s", 1],
  ["1m", "1 min", 60],
  ["5m", "5 min", 300],
];

/** The intervals that an instrument has bars of: a feed's whole ones, `barMs` long, must fill them evenly. */
export function intervalsOf({ barMs }) {
  return barMs ? INTERVALS.filter(([, , seconds]) => (1000 * seconds) % barMs === 0) : INTERVALS;
}

/** `rows` are in the order of their start, see columns.js. */
export class Bars {
  constructor() {
    this.intervals = INTERVALS;
    /** The interval that somebody has chosen, or would begin with. */
    this.chosen = INTERVALS[0][0];
    this.interval = this.chosen;
    this.rows = [];
    this.whole = 0;
    this.version = 0;
    /** Starts of the bars that are new or have changed since the chart took them. */
    this.fresh = new Set();
    /** The newest bar as it was told, while it is drawn to the last price; else null. */
    this.told = null;
    /** Whether a replay has jumped since bars were told: the last price is of another place than they are. */
    this.jumped = false;
  }

  clear() {
    this.rows = [];
    this.told = null;
    this.whole += 1;
    this.version += 1;
    this.fresh.clear();
  }

  /** Be about an instrument: of the intervals that it has, show the one that was chosen, or else the first. */
  begin(instrument) {
    this.intervals = intervalsOf(instrument);
    const names = this.intervals.map(([name]) => name);
    this.show(names.includes(this.chosen) ? this.chosen : (names[0] ?? this.chosen));
  }

  choose(interval) {
    this.chosen = interval;
    this.show(interval);
  }

  /** Show another interval: what is here is of no use for it. */
  show(interval) {
    if (interval === this.interval) return;
    this.interval = interval;
    this.clear();
  }

  /** Take a batch's bars; false, and nothing is taken, when they are of another interval. */
  take(part) {
    if (part[BARS.interval] !== this.interval) return false;
    this.restore();
    if (part[BARS.rows].length) this.jumped = false;
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

  /**
   * Draw the newest bar to the last price, of the time `ms`, as long as that is in it: bars are told
   * less often, and the price beside the chart is not to be another one.
   */
  endAt(price, ms) {
    this.restore();
    if (this.jumped) return;
    const { last } = this;
    const seconds = INTERVALS.find(([name]) => name === this.interval)[2];
    if (!last || last[BAR.start] !== seconds * Math.floor(ms / 1000 / seconds)) return;
    this.told = last;
    const [start, open, high, low, , volume] = last;
    this.put([start, open, Math.max(high, price), Math.min(low, price), price, volume]);
  }

  /** Note that a replay has jumped: the newest bar is not drawn to another place's price. */
  jump() {
    this.restore();
    this.jumped = true;
  }

  /** Take the newest bar back to what was told of it. */
  restore() {
    if (this.told) this.put(this.told);
    this.told = null;
  }

  put(row) {
    this.rows[this.indexOf(row[BAR.start])] = row;
    this.fresh.add(row[BAR.start]);
    this.version += 1;
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
