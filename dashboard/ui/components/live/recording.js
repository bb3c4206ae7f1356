// When what a replay plays was recorded. Pure; all times in ms since the Unix epoch.

import { STRETCH } from "./columns.js";

/** Stretches that are kept, of those that the server told of so far. */
const MOST = 128;

export class Recording {
  constructor() {
    this.stretches = [];
    this.told = "";
    this.began = NaN;
    this.end = NaN;
  }

  /** Take what the server tells of a replay; tells whether it is played otherwise than was known. */
  take({ stretches, began_ms, duration_s }) {
    const told = JSON.stringify(stretches);
    if (told === this.told) return false;
    this.told = told;
    this.began = began_ms;
    this.end = began_ms + 1000 * duration_s;
    const first = stretches[0]?.[STRETCH.played] ?? Infinity;
    const before = this.stretches.filter((stretch) => stretch[STRETCH.played] < first);
    this.stretches = [...before, ...stretches].slice(-MOST);
    return true;
  }

  /** When that was recorded which was played at `ms`; NaN where nobody knows. */
  at(ms) {
    const stretch = this.stretches.findLast((each) => each[STRETCH.played] <= ms);
    if (!stretch || stretch[STRETCH.pace] === null) return NaN;
    const recorded = stretch[STRETCH.recorded] + (ms - stretch[STRETCH.played]) * stretch[STRETCH.pace];
    return Math.min(recorded, this.end);
  }

  /** The times at which another round or another place began: what was played before does not go on there. */
  get seams() {
    return this.stretches.filter((each) => each[STRETCH.jumped]).map((each) => each[STRETCH.played]);
  }
}
