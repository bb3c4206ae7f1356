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
}
