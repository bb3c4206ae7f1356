// When text is written. Pure.
//
// Prices are drawn in every frame, on canvases. What is text goes together: books
// and trades at most eight times a second (`beat`), statistics about four times
// (`slow`, in the frame of a beat where there is one), less often where the machine
// loses frames: more cannot be read, and every frame that writes text costs the
// page ten times what a canvas does.

const BEAT_MS = 120;
const SLOW_MS = 250;

/** The two counters that writers of text look at; `strain` tells how the machine keeps up. */
export class Cadence {
  constructor(strain) {
    this.strain = strain;
    this.beat = 0;
    this.slow = 0;
    this.beatAt = 0;
    this.slowAt = 0;
    this.beatDue = false;
  }

  /** Say that there is something new for the next beat. */
  note() {
    this.beatDue = true;
  }

  /** Have everything written in the next frame. */
  hurry() {
    this.beatDue = true;
    this.beatAt = -Infinity;
    this.slowAt = -Infinity;
  }

  /** Come to `now`, once a frame, before anything is written; tells whether `slow` went on. */
  advance(now) {
    const beatMs = this.strain.stretched(BEAT_MS);
    if (this.beatDue && now - this.beatAt >= beatMs) {
      this.beatDue = false;
      this.beatAt = now;
      this.beat += 1;
    }
    const waited = now - this.slowAt;
    if (waited < SLOW_MS || (this.beatAt !== now && waited < SLOW_MS + beatMs)) return false;
    this.slowAt = now;
    this.slow += 1;
    return true;
  }
}
