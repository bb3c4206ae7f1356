// The last prices of one symbol. Pure.

import { Ring } from "./statistics.js";

/** One watched symbol; `at` is performance.now() of the newest price, `version` its count. */
export class Series {
  constructor([symbol, exchange, decimals], samples) {
    this.symbol = symbol;
    this.exchange = exchange;
    this.decimals = decimals;
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
