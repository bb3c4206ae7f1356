// Writes one symbol's card: the price at once, what the eye reads slowly four
// times a second.

import { Surface } from "./canvas.js";
import { NONE, decimal, signed, timeOfDay } from "./format.js";
import { pageClock } from "./clock.js";
import { setText } from "./hooks.js";
import { Sparkline, sparklines } from "./sparklines.js";
import { summary } from "./statistics.js";
import { store } from "./store.js";

/** Never more than two flashes a second: faster ones are hard to bear, and for some a hazard. */
const FLASH_EVERY_MS = 600;
const QUIET_MS = 10_000;

export class CardPainter {
  constructor(element, symbol) {
    this.element = element;
    this.symbol = symbol;
    this.price = element.querySelector(".price");
    this.change = element.querySelector(".change");
    this.changeText = element.querySelector(".change-text");
    this.stats = element.querySelectorAll(".stats b");
    this.sparkline = new Sparkline(new Surface(element.querySelector("canvas")));
    this.version = -1;
    this.statsVersion = -1;
    this.slow = -1;
    this.flashedAt = 0;
    this.flashedPrice = undefined;
    this.turn = 0;
    sparklines.add(this.sparkline);
  }

  end() {
    sparklines.remove(this.sparkline);
    this.sparkline.surface.end();
  }

  paint(now) {
    const series = store.series.get(this.symbol);
    if (!series) return;
    if (series.version !== this.version) {
      this.version = series.version;
      this.sparkline.show(series);
      this.paintPrice(series, now);
    }
    if (store.slow !== this.slow) {
      this.slow = store.slow;
      this.paintSlow(series, now);
    }
  }

  paintPrice(series, now) {
    if (series.last === undefined || series.last === this.shown) return;
    this.shown = series.last;
    setText(this.price, decimal(series.last, series.decimals));
    this.price.setAttribute("data-value", series.last);
    this.flash(series.last, now);
  }

  flash(price, now) {
    if (now - this.flashedAt < FLASH_EVERY_MS) return;
    const before = this.flashedPrice;
    this.flashedAt = now;
    this.flashedPrice = price;
    if (before === undefined || price === before) return;
    this.turn = 1 - this.turn;
    this.price.dataset.flash = `${price > before ? "up" : "down"}-${this.turn}`;
  }

  paintSlow(series, now) {
    const quiet = series.at > 0 && now - series.at > QUIET_MS;
    if (quiet) {
      this.element.dataset.quiet = "";
      setText(this.changeText, `last at ${timeOfDay(pageClock(series.at))} UTC`);
    } else if (this.element.dataset.quiet !== undefined) {
      delete this.element.dataset.quiet;
      this.statsVersion = -1;
    }
    if (series.version === this.statsVersion) return;
    this.statsVersion = series.version;
    const statistics = summary(series.prices);
    for (const [at, key] of ["mean", "p50", "p95"].entries()) {
      setText(this.stats[at], statistics ? decimal(statistics[key], series.decimals) : NONE);
    }
    if (!quiet) this.paintChange(series);
  }

  paintChange({ prices, last, decimals }) {
    if (!prices.length) return;
    const first = prices.at(0);
    const change = last - first;
    this.change.dataset.direction = change > 0 ? "up" : change < 0 ? "down" : "flat";
    setText(this.changeText, `${signed(change, decimals)}  ${signed((100 * change) / first, 2)} %`);
  }
}
