// Whether the machine keeps up with the display. Pure.
//
// Prices have a right to every frame. When frames are lost, what is only text or
// background to them (books, trades, sparklines, statistics) is drawn less often.

const LOST = 0.95;
const KEPT = 0.98;
const CALM_SECONDS = 5;
const MOST = 2;

export class Strain {
  constructor() {
    this.level = 0;
    this.best = 0;
    this.calm = 0;
  }

  /** Take the frames of one second. The best second so far tells what the display can do. */
  add(fps) {
    this.best = Math.max(this.best, fps);
    if (fps < LOST * this.best) {
      this.calm = 0;
      this.level = Math.min(MOST, this.level + 1);
    } else if (this.level && fps >= KEPT * this.best) {
      this.calm += 1;
      if (this.calm < CALM_SECONDS) return;
      this.calm = 0;
      this.level -= 1;
    }
  }

  /** `ms` at ease, twice or four times as long under strain. */
  stretched(ms) {
    return ms * 2 ** this.level;
  }
}
