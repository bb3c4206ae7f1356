// When text is written. Pure.
//
// Prices are drawn in every frame, on canvases. What is text is written together: books
// at most eight times a second (`beat`), statistics about four times (`slow`), less often
// where the machine loses frames: more cannot be read, and a frame that writes text costs
// the page ten times what a canvas does. Trades (`trades`) come in the frame after their
// beat, and statistics in a frame of their own: all three in one take longer than a frame.

const BEAT_MS = 120;
const SLOW_MS = 250;

/** The three counters that writers of text look at; `strain` tells how the machine keeps up. */
export class Cadence {
  constructor(strain) {
    this.strain = strain;
    this.beat = 0;
    this.trades = 0;
    this.slow = 0;
    this.beatAt = 0;
    this.slowAt = 0;
    this.beatDue = false;
    this.hurried = false;
  }

  /** Say that there is something new for the next beat. */
  note() {
    this.beatDue = true;
  }

  /** Have everything written in the next frame. */
  hurry() {
    this.hurried = true;
  }

  /** Come to `now`, once a frame, before anything is written; tells whether `slow` went on. */
  advance(now) {
    const { hurried } = this;
    this.hurried = false;
    const follows = this.trades !== this.beat;
    if (follows) this.trades = this.beat;
    const beats = hurried || (this.beatDue && now - this.beatAt >= this.strain.stretched(BEAT_MS));
    if (beats) {
      this.beatDue = false;
      this.beatAt = now;
      this.beat += 1;
    }
    if (hurried) this.trades = this.beat;
    else if (beats || follows || now - this.slowAt < this.strain.stretched(SLOW_MS)) return false;
    this.slowAt = now;
    this.slow += 1;
    return true;
  }
}
