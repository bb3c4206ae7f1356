// What the page knows of the instruments that it watches: prices, trades, the book and the detail of
// the chosen one. The keys of a batch are described in dashboard/ui/batch.py.

import { BOOK, PAST, TRADE } from "./columns.js";
import { Detail } from "./detail.js";
import { NO_INSTRUMENT, watchedOf } from "./instruments.js";
import { Series } from "./series.js";

const KEPT_TRADES = 100;

export class Market {
  /** `note()` is told that there is something new to write, `askBars(interval)` asks for other bars. */
  constructor({ note, askBars }) {
    this.note = note;
    this.askBars = askBars;
    this.sampleWindow = 200;
    this.rows = [];
    this.watched = [];
    this.chosen = NO_INSTRUMENT;
    this.detail = new Detail();
    this.series = new Map();
    this.book = null;
    /** The newest first. */
    this.trades = [];
    this.tradesSeen = 0;
  }

  /** The watched instrument of this full id, if there is one. */
  find(id) {
    return this.watched.find((each) => each.id === id);
  }

  /** Watch the instruments of a description's rows; what is here of them stays. */
  watch(rows) {
    if (JSON.stringify(rows) === JSON.stringify(this.rows)) return;
    this.rows = rows;
    this.watched = watchedOf(rows);
    const before = this.series;
    this.series = new Map();
    for (const instrument of this.watched) {
      const series = before.get(instrument.id) ?? new Series(instrument, this.sampleWindow);
      series.instrument = instrument;
      this.series.set(instrument.id, series);
    }
  }

  /** Be about one of the watched instruments, or about none. */
  choose(instrument) {
    this.chosen = instrument;
    if (this.detail.begin(instrument)) this.book = null;
  }

  /** The order book of the instrument of this full id, or null while it is not here. */
  bookOf(id) {
    return this.book?.id === id ? this.book : null;
  }

  setSampleWindow(samples) {
    this.sampleWindow = samples;
    for (const series of this.series.values()) {
      series.prices = series.prices.resized(samples);
      series.version += 1;
    }
  }

  /** Forget what was counted and drawn; prices and book of the moment stay. */
  reset() {
    for (const series of this.series.values()) {
      series.prices.clear();
      series.version += 1;
    }
    this.detail.resetCounts();
    this.trades = [];
    this.tradesSeen += KEPT_TRADES;
  }

  /** Take a batch of the description that `watched` is of. */
  take(batch, now) {
    if (batch.w) this.detail.followed = true;
    if (batch.p) this.takePrices(batch, now);
    if (batch.w) this.replaceTrades(batch.w[PAST.trades]);
    if (batch.q || batch.w || batch.m || batch.o || batch.z) this.takeDetail(batch);
    if (batch.a && !this.detail.bars.take(batch.a)) this.askBars(this.detail.bars.interval);
    if (batch.r) this.takeTrades(batch.r);
    if (batch.b) this.takeBook(batch.b);
  }

  /** Take prices that came at `now`, or each `u` ms before it. */
  takePrices({ p: flat, u: ages }, now) {
    for (let i = 0; i < flat.length; i += 2) {
      const instrument = this.watched[flat[i]];
      const age = ages ? ages[i / 2] : 0;
      this.series.get(instrument.id).push(flat[i + 1], now - age);
    }
    this.note();
  }

  takeTrades(rows) {
    for (const row of rows) {
      const trade = this.tradeOf(row);
      this.trades.unshift(trade);
      if (trade.instrument === this.chosen) this.detail.takeTrade(trade);
    }
    this.note();
    this.tradesSeen += rows.length;
    if (this.trades.length > KEPT_TRADES) this.trades.length = KEPT_TRADES;
  }

  tradeOf(row) {
    return {
      instrument: this.watched[row[TRADE.at]],
      price: row[TRADE.price],
      size: row[TRADE.size],
      side: row[TRADE.side],
      time: row[TRADE.time],
      buyer: row[TRADE.buyer],
      seller: row[TRADE.seller],
    };
  }

  /** The trades of the last minute, oldest first, instead of those that are here. */
  replaceTrades(rows) {
    this.trades = rows.slice(-KEPT_TRADES).reverse().map((row) => this.tradeOf(row));
    this.tradesSeen += KEPT_TRADES;
    this.note();
  }

  takeDetail(batch) {
    this.detail.take(batch);
    this.note();
  }

  takeBook(row) {
    const { id, decimals } = this.watched[row[BOOK.at]];
    const [bids, asks] = [row[BOOK.bids], row[BOOK.asks]];
    this.book = { id, decimals, bids, asks, partial: row[BOOK.partial] === 1 };
    this.note();
  }
}
