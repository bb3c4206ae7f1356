// The last prices of one instrument. Pure.

import { Ring } from "./statistics.js";

/** Of one watched instrument; `at` is performance.now() of the newest price, `version` its count. */
export class Series {
  constructor(instrument, samples) {
    this.instrument = instrument;
    this.prices = new Ring(samples);
    this.last = undefined;
    this.at = 0;
    this.version = 0;
  }

  push(price, now) {
    this.prices.push(price);
    this.last = price;
    this.at = now;
    this.version += 1;
  }

  /** Forget the prices but the last; gives the function that brings them back, before those that came since. */
  reset() {
    const before = this.prices;
    this.prices = new Ring(before.values.length);
    this.version += 1;
    return () => {
      this.prices = before.resized(this.prices.values.length).take(this.prices);
      this.version += 1;
    };
  }
}
