// The one animation-frame loop of the page: it lets panels draw, and measures
// frames, the time from receipt to paint, and the phase of the pushes.

import { keepSharp } from "./canvas.js";
import { pageClock } from "./clock.js";
import { LEAD_MS, MIN_SAMPLES, framePeriod, wantedShift } from "./phase.js";

const PERIOD_FRAMES = 120;
const REPORT_MS = 1000;
const FAST_REPORT_MS = 250;
const FAST_REPORTS = 12;
const MOST_WAITS = 240;
const MOST_ARRIVALS = 1024;

export class Frames {
  constructor(store) {
    this.store = store;
    this.painters = new Set();
    this.times = [];
    this.waits = [];
    this.arrivals = [];
    this.shiftsSeen = 0;
    this.reportedAt = 0;
    this.fastLeft = FAST_REPORTS;
    this.onReport = null;
    this.handle = 0;
    this.countedFrom = 0;
    this.counted = 0;
    this.frame = this.frame.bind(this);
    this.turned = this.turned.bind(this);
  }

  /** Run `paint(now)` in each frame; gives the function that ends it. */
  add(paint) {
    if (!this.painters.size) {
      document.addEventListener("visibilitychange", this.turned);
      this.handle = requestAnimationFrame(this.frame);
    }
    this.painters.add(paint);
    return () => {
      if (!this.painters.delete(paint) || this.painters.size) return;
      document.removeEventListener("visibilitychange", this.turned);
      cancelAnimationFrame(this.handle);
      this.handle = 0;
      this.forget();
    };
  }

  /** The page was hidden, or is seen again. */
  turned() {
    this.forget();
    this.store.turn(document.hidden);
  }

  /** Drop what a hidden page would spoil: frames stop there, and clocks may have moved. */
  forget() {
    this.times.length = 0;
    this.waits.length = 0;
    this.arrivals.length = 0;
    this.counted = 0;
    this.countedFrom = 0;
    this.store.clock.clear();
  }

  /** Note that a batch arrived at `now` (performance.now()). */
  arrived(now, batch) {
    if (batch.k !== this.shiftsSeen) {
      this.shiftsSeen = batch.k;
      this.waits.length = 0;
    }
    if (document.hidden || !batch.c) return;
    if (this.arrivals.length >= 2 * MOST_ARRIVALS) this.arrivals.length = 0;
    this.arrivals.push(now, batch.c);
  }

  frame(start) {
    this.handle = requestAnimationFrame(this.frame);
    const began = performance.now();
    this.measureFrames(start);
    this.paint(began);
    this.measurePaint(began, performance.now());
    this.report(began);
  }

  paint(now) {
    this.store.tick(now);
    keepSharp();
    for (const paint of this.painters) paint(now);
  }

  measureFrames(start) {
    this.times.push(start);
    if (this.times.length > PERIOD_FRAMES) this.times.shift();
    if (!this.countedFrom) {
      this.countedFrom = start;
      return;
    }
    this.counted += 1;
    const elapsed = start - this.countedFrom;
    if (elapsed >= 1000) {
      if (elapsed < 3000) this.store.sampleFps((this.counted * 1000) / elapsed);
      this.countedFrom = start;
      this.counted = 0;
    }
  }

  measurePaint(began, painted) {
    const { arrivals } = this;
    if (!arrivals.length) return;
    const newest = arrivals[arrivals.length - 2];
    this.store.measurements.addLatency(painted - newest, arrivals, painted);
    if (this.waits.length >= MOST_WAITS) this.waits.shift();
    this.waits.push(began - newest);
    arrivals.length = 0;
  }

  report(now) {
    if (!this.onReport || this.waits.length < MIN_SAMPLES || this.times.length < PERIOD_FRAMES) return;
    if (now - this.reportedAt < FAST_REPORT_MS) return;
    const period = framePeriod(this.times);
    const shift = wantedShift(this.waits, period);
    const off = Math.abs(shift) > LEAD_MS;
    if (!off) this.fastLeft = FAST_REPORTS;
    const wait = off && this.fastLeft > 0 ? FAST_REPORT_MS : REPORT_MS;
    if (now - this.reportedAt < wait) return;
    if (off && this.fastLeft > 0) this.fastLeft -= 1;
    this.reportedAt = now;
    this.waits.length = 0;
    this.onReport(shift, period, this.shiftsSeen, pageClock());
  }
}
