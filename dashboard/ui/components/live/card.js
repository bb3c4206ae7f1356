// Writes one instrument's card: the canvas draws what moves, here is the text.

import { CardCanvas } from "./cardcanvas.js";
import { NONE, decimal, duration, percent, signed, timeOfDay } from "./format.js";
import { setAttribute, setText } from "./hooks.js";
import { cardQueue } from "./paintqueue.js";
import { LAST } from "./series.js";
import { summary } from "./statistics.js";
import { store } from "./store.js";

const QUIET_MS = 10_000;
/** Characters of a price of which three do not fit side by side under a card. */
const LONG = 10;

/** A card out of sight writes in every eighth slow turn, about every two seconds; few do in the same one. */
const HIDDEN_TURNS = 8;

let turns = 0;

export class CardPainter {
  constructor(element, id) {
    this.element = element;
    this.id = id;
    this.price = element.querySelector(".price");
    this.change = element.querySelector(".change");
    this.changeValue = element.querySelector(".change-value");
    this.changeShare = element.querySelector(".change-share");
    this.changeWindow = element.querySelector(".change-window");
    this.basis = element.querySelector(".basis");
    this.stats = element.querySelectorAll(".stats b");
    this.canvas = new CardCanvas(element.querySelector("canvas"));
    this.statsVersion = -1;
    this.beat = -1;
    this.slow = -1;
    this.shown = undefined;
    this.turn = turns;
    turns += 1;
    cardQueue.add(this.canvas);
  }

  end() {
    cardQueue.remove(this.canvas);
    this.canvas.end();
  }

  get series() {
    return store.market.series.get(this.id);
  }

  get rests() {
    return cardQueue.hides(this.canvas) && (store.cadence.slow + this.turn) % HIDDEN_TURNS > 0;
  }

  /** Draw what the text says of the same moment in its frame, whatever else is to be drawn. */
  draw(now) {
    const { canvas, series } = this;
    if (!series) return;
    canvas.show(series);
    if (this.rests) return;
    if (store.cadence.slow !== this.slow) canvas.trend = series.moved()?.trend ?? canvas.trend;
    const told = this.id === store.market.chosen.id || canvas.trend !== canvas.lineTrend;
    if (told && !cardQueue.hides(canvas) && canvas.due(now)) canvas.draw(now);
  }

  write(now) {
    const { series } = this;
    if (!series || this.rests) return;
    if (store.cadence.beat !== this.beat) {
      this.beat = store.cadence.beat;
      this.writePrice(series);
    }
    if (store.cadence.slow !== this.slow) {
      this.slow = store.cadence.slow;
      this.writeSlow(series, now);
    }
  }

  writePrice({ last, basis, instrument }) {
    if (this.basis.hidden !== (basis === LAST)) this.basis.hidden = basis === LAST;
    if (last === undefined || last === this.shown) return;
    this.shown = last;
    const text = decimal(last, instrument.decimals);
    setText(this.price, text);
    this.price.setAttribute("data-value", last);
    if (text.length >= LONG) setAttribute(this.element, "data-long", "");
  }

  writeSlow(series, now) {
    const quiet = series.at > 0 && now - series.at > QUIET_MS;
    if (quiet) {
      this.element.dataset.quiet = "";
      setText(this.changeValue, "last at ");
      setText(this.changeShare, timeOfDay(store.sources.timeOf(series.instrument, store.serverTime(series.at))));
      setText(this.changeWindow, "");
    } else if (this.element.dataset.quiet !== undefined) {
      delete this.element.dataset.quiet;
      this.statsVersion = -1;
    }
    if (series.version === this.statsVersion) return;
    this.statsVersion = series.version;
    const statistics = summary(series.prices);
    for (const [at, key] of ["mean", "p50", "p95"].entries()) {
      setText(this.stats[at], statistics ? decimal(statistics[key], series.instrument.decimals) : NONE);
    }
    const moved = series.moved();
    if (moved && !quiet) this.writeChange(moved, series);
  }

  writeChange({ first, change, trend, spanMs }, { instrument }) {
    if (this.change.dataset.direction !== trend) this.change.dataset.direction = trend;
    setText(this.changeValue, `${signed(change, instrument.decimals)}  `);
    setText(this.changeShare, percent(change, first));
    const within = duration(spanMs / 1000);
    setText(this.changeWindow, `  in ${within}`);
    setAttribute(this.change, "title", `Since the oldest of the samples, in ${within}`);
  }
}
