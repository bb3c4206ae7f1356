// Rows in the order of their time, of the last minutes only. Pure.

const COMPACT_AT = 4096;

/** Rows whose first column is a time in ms; they may come out of order, and stand in order. */
export class Timeline {
  /** `keptMs`: rows older than this, seen from the newest, are forgotten but for the last of them. */
  constructor(keptMs) {
    this.keptMs = keptMs;
    this.rows = [];
    this.start = 0;
  }

  get length() {
    return this.rows.length - this.start;
  }

  at(index) {
    return this.rows[this.start + index];
  }

  last() {
    return this.rows[this.rows.length - 1];
  }

  clear() {
    this.rows = [];
    this.start = 0;
  }

  push(row) {
    const { rows } = this;
    let at = rows.length;
    while (at > this.start && rows[at - 1][0] > row[0]) at -= 1;
    if (at === rows.length) rows.push(row);
    else rows.splice(at, 0, row);
    const horizon = this.last()[0] - this.keptMs;
    while (this.start + 1 < this.rows.length && this.rows[this.start + 1][0] <= horizon) this.start += 1;
    if (this.start < COMPACT_AT) return;
    this.rows = this.rows.slice(this.start);
    this.start = 0;
  }

  /** The index of the first row later than `ms`; the length when there is none. */
  after(ms) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle)[0] <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
