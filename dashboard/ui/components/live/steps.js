// Quotes as steps: a price holds until the next quote, and an empty side is a gap. Pure.

/**
 * The runs of one column of quotes between two times, as flat [x, value, x, value, ...] to be
 * joined by straight lines, steps included. `x(ms)` gives pixels, rising. Of several quotes in one
 * pixel column the first, lowest, highest and last are kept. A run ends where the side is empty.
 */
export function stepRuns(quotes, column, { from, to, x }) {
  const runs = [];
  let run = null;
  let value = null;
  const begin = Math.max(0, quotes.after(from) - 1);
  for (let i = begin; i < quotes.length; i += 1) {
    const row = quotes.at(i);
    if (row[0] > to) break;
    const here = x(Math.max(row[0], from));
    if (row[column] === value) continue;
    if (run) run.step(here, row[column]);
    value = row[column];
    if (value === null) run = null;
    else if (!run) runs.push((run = new Run(here, value)));
  }
  if (run) run.end(x(to));
  return runs.map(({ points }) => points);
}

/** Collects the points of a run, at most four for a pixel column. */
class Run {
  constructor(x, value) {
    this.points = [x, value];
    this.value = value;
    this.column = Math.floor(x);
    this.open(value);
  }

  open(value) {
    this.low = value;
    this.high = value;
    this.fresh = false;
  }

  /** Go to `x` at the value so far, then to `next`; null ends the run there. */
  step(x, next) {
    if (Math.floor(x) !== this.column) {
      this.flush();
      this.points.push(x, this.value);
      this.column = Math.floor(x);
      this.open(this.value);
    }
    if (next === null) {
      this.flush();
      return;
    }
    this.value = next;
    this.low = Math.min(this.low, next);
    this.high = Math.max(this.high, next);
    this.fresh = true;
  }

  /** Write what happened within the column. */
  flush() {
    if (!this.fresh) return;
    const at = this.points[this.points.length - 2];
    const ends = this.value === this.low ? [this.high, this.low] : [this.low, this.high];
    for (const value of [...ends, this.value]) {
      if (value !== this.points[this.points.length - 1]) this.points.push(at, value);
    }
    this.fresh = false;
  }

  end(x) {
    this.flush();
    this.points.push(x, this.value);
  }
}

/** Lowest and highest price of the quotes and trades between two times, or null when there are none. */
export function priceRange(quotes, trades, columns, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const take = (value) => {
    if (value === null) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (let i = Math.max(0, quotes.after(from) - 1); i < quotes.length; i += 1) {
    const row = quotes.at(i);
    if (row[0] > to) break;
    for (const column of columns) take(row[column]);
  }
  for (let i = trades.after(from); i < trades.length; i += 1) take(trades.at(i)[1]);
  return low <= high ? { low, high } : null;
}

/** A dot's radius in pixels: its area follows the size, the largest in sight being 1. */
export function dotRadius(size, largest, most) {
  return Math.max(1.5, most * Math.sqrt(size / largest));
}
