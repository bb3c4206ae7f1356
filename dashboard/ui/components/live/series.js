// The last prices of one instrument, each with its time. Pure.

import { Ring } from "./statistics.js";

/** What the prices are, see `core/model.PriceBasis`. */
export const LAST = "last";
export const MID = "mid";
export const BASIS_TITLES = Object.freeze({
  last: "The price of the last trade, as the feed tells it.",
  mid: "Halfway between best bid and best ask: no trade has come yet.",
});

/**
 * Of one watched instrument; times are performance.now(), and `at` is that of the newest price.
 * `version` counts the prices.
 */
export class Series {
  constructor(instrument, samples) {
    this.instrument = instrument;
    this.prices = new Ring(samples);
    this.times = new Ring(samples);
    this.basis = LAST;
    this.last = undefined;
    this.at = 0;
    this.version = 0;
    /** The times of prices before which there is a gap. */
    this.breaks = [];
    this.broken = false;
  }

  /** Take a price; one of another basis begins anew, for the two are no series. */
  push(price, now, basis = LAST) {
    if (basis !== this.basis) {
      this.basis = basis;
      this.clear();
    }
    const time = Math.max(now, this.at);
    if (this.broken && this.prices.length) this.breaks.push(time);
    this.broken = false;
    this.prices.push(price);
    this.times.push(time);
    while (this.breaks.length && this.breaks[0] <= this.times.at(0)) this.breaks.shift();
    this.last = price;
    this.at = time;
    this.version += 1;
  }

  /** Note that prices were missed: there is a gap before the next one. */
  break() {
    this.broken = true;
  }

  /** Keep the newest of another number of prices. */
  resize(samples) {
    this.prices = this.prices.resized(samples);
    this.times = this.times.resized(samples);
    this.version += 1;
  }

  /** Like `clear`; gives the function that brings the prices back, before those that came since. */
  reset() {
    const { prices, times, breaks, basis } = this;
    const samples = prices.values.length;
    this.prices = new Ring(samples);
    this.times = new Ring(samples);
    this.clear();
    return () => {
      if (basis !== this.basis) return;
      this.prices = prices.resized(this.prices.values.length).take(this.prices);
      this.times = times.resized(this.times.values.length).take(this.times);
      this.breaks = [...breaks, ...this.breaks];
      this.version += 1;
    };
  }

  /** Forget the prices but the last. */
  clear() {
    this.prices.clear();
    this.times.clear();
    this.breaks = [];
    this.broken = false;
    this.version += 1;
  }

  /** The move over the window: { first, change, trend, spanMs }, or null while it is empty. */
  moved() {
    if (!this.prices.length) return null;
    const first = this.prices.at(0);
    const change = this.last - first;
    const trend = change > 0 ? "up" : change < 0 ? "down" : "flat";
    return { first, change, trend, spanMs: this.at - this.times.at(0) };
  }
}
