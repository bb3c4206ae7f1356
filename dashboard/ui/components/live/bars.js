// The bars of one instrument, as its candle chart has them. Pure.

const MOST = 1500;
/** A hole of more empty intervals than this is drawn as one. */
const MOST_EMPTY = 120;

export const INTERVALS = [
  ["1s", "1 s", 1],
  ["1m", "1 min", 60],
];

/** `rows` are [start in s, open, high, low, close, volume], oldest first. */
export class Bars {
  constructor() {
    this.interval = INTERVALS[0][0];
    this.rows = [];
    this.whole = 0;
    this.version = 0;
  }

  clear() {
    this.rows = [];
    this.whole += 1;
    this.version += 1;
  }

  /** Show another interval: what is here is of no use for it. */
  choose(interval) {
    this.interval = interval;
    this.clear();
  }

  /** Take a batch's bars; false, and nothing is taken, when they are of another interval. */
  take([interval, rows, whole]) {
    if (interval !== this.interval) return false;
    if (whole) this.clear();
    for (const row of rows) {
      while (this.rows.length && this.rows[this.rows.length - 1][0] >= row[0]) this.rows.pop();
      this.rows.push(row);
    }
    if (this.rows.length > MOST) this.rows.splice(0, this.rows.length - MOST);
    this.version += 1;
    return true;
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
