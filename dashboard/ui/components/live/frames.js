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
/** A page that pushes reach for so long without a frame is not painted, whatever the browser says of it. */
const UNPAINTED_MS = 500;
/** Two frames within this time, and it is painted again. */
const PAINTED_MS = 250;

export class Frames {
  constructor(store) {
    this.store = store;
    this.painters = new Set();
    this.writers = new Set();
    this.times = [];
    this.waits = [];
    this.arrivals = [];
    this.drawn = [];
    this.channel = null;
    this.unpainted = false;
    this.frameAt = 0;
    /** When the first push since the last frame came. */
    this.unshownSince = null;
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

  /**
   * Run `paint(now)` in each frame; gives the function that ends it. What `writes` text comes after
   * what draws: a canvas that draws text has the browser lay out at once what was written before.
   */
  add(paint, { writes = false } = {}) {
    if (!this.used) {
      document.addEventListener("visibilitychange", this.turned);
      this.channel = new MessageChannel();
      this.channel.port1.onmessage = () => this.ended(performance.now());
      this.handle = requestAnimationFrame(this.frame);
    }
    const members = writes ? this.writers : this.painters;
    members.add(paint);
    return () => {
      if (!members.delete(paint) || this.used) return;
      document.removeEventListener("visibilitychange", this.turned);
      this.channel.port1.close();
      cancelAnimationFrame(this.handle);
      this.handle = 0;
      this.forget();
    };
  }

  get used() {
    return this.painters.size + this.writers.size > 0;
  }

  /** Whether nobody sees the page: it is hidden, or behind others so that the browser does not paint it. */
  get unseen() {
    return document.hidden || this.unpainted;
  }

  /** The browser says that the page is hidden, or not any more. */
  turned() {
    this.turn(false);
  }

  turn(unpainted) {
    this.unpainted = unpainted;
    this.forget();
    this.store.turn(this.unseen);
  }

  /** Drop what a hidden page would spoil: frames stop there, and clocks may have moved. */
  forget() {
    this.times.length = 0;
    this.waits.length = 0;
    this.arrivals.length = 0;
    this.drawn.length = 0;
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
    this.unshownSince ??= now;
    if (!this.unseen && this.handle && now - this.unshownSince > UNPAINTED_MS) this.turn(true);
    if (this.unseen || !batch.c) return;
    if (this.arrivals.length >= 2 * MOST_ARRIVALS) this.arrivals.length = 0;
    this.arrivals.push(now, batch.c);
  }

  frame(start) {
    this.handle = requestAnimationFrame(this.frame);
    const began = performance.now();
    this.notePainted(start);
    if (!this.unseen) this.measureFrames(start);
    this.paint(began);
    this.measureWait(began);
    this.report(began);
  }

  paint(now) {
    this.store.tick(now);
    keepSharp();
    for (const paint of this.painters) paint(now);
    for (const write of this.writers) write(now);
  }

  notePainted(start) {
    if (this.unpainted && start - this.frameAt < PAINTED_MS) this.turn(false);
    this.frameAt = start;
    this.unshownSince = null;
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

  /** Note how long the newest push has waited for the frame that began now, and when that will have ended. */
  measureWait(began) {
    if (!this.arrivals.length) return;
    this.ended(began);
    [this.drawn, this.arrivals] = [this.arrivals, this.drawn];
    this.arrivals.length = 0;
    if (this.waits.length >= MOST_WAITS) this.waits.shift();
    this.waits.push(began - this.drawn[this.drawn.length - 2]);
    this.channel.port2.postMessage(null);
  }

  /** The browser has styled, laid out and painted the frame: what was posted in it is heard after. */
  ended(now) {
    const { drawn } = this;
    if (drawn.length) this.store.measurements.addLatency(now - drawn[drawn.length - 2], drawn, now);
    drawn.length = 0;
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
