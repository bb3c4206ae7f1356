// The clients' PnL over time, as the server tells it: whole lines at first, then their newest points,
// once a second. Pure.

import { CURVE, CURVES } from "./columns.js";

const MINUTE_MS = 60_000;

export class Curves {
  constructor() {
    this.version = 0;
    this.minutes = 0;
    this.bucket = 0;
    this.step = 0;
    /** When the newest point begins, in ms since the Unix epoch. */
    this.time = 0;
    /** { id, label, values }: the values of all points of the range, null where there is none. */
    this.lines = [];
  }

  /** Take the server's word, a row of the batch's `x`. */
  take(row) {
    const [minutes, step, names] = [row[CURVES.minutes], row[CURVES.step], row[CURVES.names]];
    if (names) this.name(names, minutes === this.minutes);
    const count = (minutes * MINUTE_MS) / step + 1;
    const moved = row[CURVES.bucket] - this.bucket;
    for (const [at, line] of this.lines.entries()) line.values = joined(line.values, row[CURVES.rows][at], { count, moved });
    [this.minutes, this.step, this.bucket, this.time] = [minutes, step, row[CURVES.bucket], row[CURVES.time]];
    this.version += 1;
  }

  /** Have the lines of these names; of those that are here the points stay, in the `same` range. */
  name(names, same) {
    const before = new Map(same ? this.lines.map(({ id, values }) => [id, values]) : []);
    this.lines = names.map((name) => {
      const id = name[CURVE.id];
      return { id, label: name[CURVE.label], values: before.get(id) ?? [] };
    });
  }

  /** First and last moment of the range, in ms. */
  get range() {
    return [this.time - this.minutes * MINUTE_MS, this.time];
  }
}

/** The last `count` values: those of before, `moved` so many to the left, and over them the newest. */
function joined(before, newest, { count, moved }) {
  const values = new Array(count).fill(null);
  for (const [at, value] of before.entries()) if (at - moved in values) values[at - moved] = value;
  for (const [at, value] of newest.entries()) values[count - newest.length + at] = value;
  return values;
}
