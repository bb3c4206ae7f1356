// What the page knows of the instruments that it watches: prices, trades, the book and the detail of
// the chosen one. The keys of a batch are described in dashboard/ui/batch.py.

import { BAR, BARS, BOOK, PAST, QUOTE, TRADE } from "./columns.js";
import { Detail } from "./detail.js";
import { NO_INSTRUMENT, watchedOf } from "./instruments.js";
import { LAST, MID, Series } from "./series.js";
import { Sizes } from "./sizes.js";

const KEPT_TRADES = 100;
/** More pushes than these wait for no beat: a page that is not seen has none. */
const MOST_WAITING = 64;
/** The keys of a batch that are the market's. */
const KEYS = ["p", "x", "r", "b", "q", "o", "z", "m", "w", "a"];

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
    /** The newest silence and jump of each feed that its lines have been broken at. */
    this.broken = new Map();
    this.sizes = new Map();
    /** Pushes whose share of the chosen instrument waits for a beat. */
    this.waiting = [];
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
    this.settle();
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
    this.settle();
    this.chosen = instrument;
    if (this.detail.begin(instrument)) this.book = null;
  }

  /** Let what is drawn of a feed end after the ms in which it fell silent, or before that of a jump. */
  breakOff(sources) {
    const { silences, seams } = sources.breaksOf(this.chosen.feed);
    this.detail.breakOff([...silences.map((ms) => ms + 0.5), ...seams.map((ms) => ms - 0.5)]);
    for (const { name } of sources.feeds) this.breakSeries(name, sources.breaksOf(name));
  }

  /** Leave a gap in the lines of a feed that has fallen silent; after a jump they begin anew. */
  breakSeries(feed, { silences, seams }) {
    const [silence, seam] = [silences.at(-1), seams.at(-1)];
    const before = this.broken.get(feed) ?? { silence, seam };
    this.broken.set(feed, { silence, seam });
    for (const series of this.series.values()) {
      if (series.instrument.feed !== feed) continue;
      if (seam !== before.seam) {
        series.clear();
        if (series.instrument.id === this.chosen.id) this.detail.bars.jump();
      } else if (silence !== before.silence) series.break();
    }
  }

  /** The order book of the instrument of this full id, or null while it is not here. */
  bookOf(id) {
    return this.book?.id === id ? this.book : null;
  }

  setSampleWindow(samples) {
    this.sampleWindow = samples;
    for (const series of this.series.values()) series.resize(samples);
  }

  /** Note that pushes were missed: what comes next does not follow on what is here. */
  break() {
    this.settle();
    for (const series of this.series.values()) series.break();
  }

  /**
   * Forget what was counted and drawn; prices and book of the moment stay. Gives the function that
   * brings it back, with what came since.
   */
  reset() {
    this.settle();
    const bringBack = [...this.series.values()].map((series) => series.reset());
    const { trades, detail } = this;
    const { counts } = detail;
    detail.resetCounts();
    this.trades = [];
    this.tradesSeen += KEPT_TRADES;
    return () => {
      for (const each of bringBack) each();
      detail.addCounts(counts);
      const kept = trades.filter(({ instrument }) => this.watched.includes(instrument));
      this.trades = [...this.trades, ...kept].slice(0, KEPT_TRADES);
      this.tradesSeen += KEPT_TRADES;
    };
  }

  /**
   * Take a batch of the description that `watched` is of. The prices of the others hold at once; all
   * that it brings of the chosen instrument holds with the next beat, when all that is text is
   * written: so no panel shows another moment than the one beside it.
   */
  take(batch, now) {
    if (!KEYS.some((key) => key in batch)) return;
    this.takePrices(batch, now, (instrument) => instrument !== this.chosen);
    this.waiting.push({ batch, now });
    if (this.waiting.length > MOST_WAITING) this.settle();
    this.note();
  }

  /** Let all hold that waits. */
  settle() {
    for (const { batch, now } of this.waiting.splice(0)) {
      if (batch.w) this.detail.followed = true;
      this.takePrices(batch, now, (instrument) => instrument === this.chosen);
      this.takeRest(batch);
      this.endBar(batch);
    }
  }

  /** Let the newest candle end at the price that is written beside it. */
  endBar({ p, t }) {
    if (!p || !this.detail.followed) return;
    const { last, basis } = this.series.get(this.chosen.id) ?? {};
    if (last !== undefined && basis === LAST) this.detail.bars.endAt(last, this.detail.edge(t));
  }

  takeRest(batch) {
    if (batch.w) this.replaceTrades(batch.w[PAST.trades]);
    this.seeQuotes(batch.w?.[PAST.quotes] ?? batch.q ?? []);
    if (batch.q || batch.w || batch.m || batch.o || batch.z) this.detail.take(batch);
    if (batch.a) this.takeBars(batch.a);
    if (batch.r) this.takeTrades(batch.r);
    if (batch.b) this.takeBook(batch.b);
  }

  /** Take bars, or ask for those of the interval that is shown; whole ones of a feed have the only sizes. */
  takeBars(part) {
    if (!this.detail.bars.take(part)) return this.askBars(this.detail.bars.interval);
    if (!this.chosen.barMs) return;
    const sizes = this.sizesOf(this.chosen.id);
    for (const row of part[BARS.rows]) sizes.see(row[BAR.volume]);
  }

  takePrices({ p = [], x = [], u }, now, wants) {
    this.takeRow(p, LAST, now, u, wants);
    this.takeRow(x, MID, now, u?.slice(p.length / 2), wants);
  }

  /** Take prices, flat and in order, that came at `now`, or each so many ms before it. */
  takeRow(flat, basis, now, ages, wants) {
    for (let i = 0; i < flat.length; i += 2) {
      const instrument = this.watched[flat[i]];
      if (!wants(instrument)) continue;
      const age = ages ? ages[i / 2] : 0;
      this.series.get(instrument.id).push(flat[i + 1], now - age, basis);
    }
  }

  takeTrades(rows) {
    for (const row of rows) {
      const trade = this.tradeOf(row);
      this.sizesOf(trade.instrument.id).see(trade.size);
      this.trades.unshift(trade);
      if (trade.instrument === this.chosen) this.detail.takeTrade(trade);
    }
    this.tradesSeen += rows.length;
    if (this.trades.length > KEPT_TRADES) this.trades.length = KEPT_TRADES;
  }

  seeQuotes(rows) {
    const sizes = this.sizesOf(this.chosen.id);
    for (const row of rows) {
      sizes.see(row[QUOTE.bidSize]);
      sizes.see(row[QUOTE.askSize]);
    }
  }

  /** How the sizes of the instrument of this full id are written. */
  sizesOf(id) {
    let sizes = this.sizes.get(id);
    if (!sizes) this.sizes.set(id, (sizes = new Sizes()));
    return sizes;
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
    for (const { instrument, size } of this.trades) this.sizesOf(instrument.id).see(size);
    this.tradesSeen += KEPT_TRADES;
  }

  takeBook(row) {
    const { id, decimals } = this.watched[row[BOOK.at]];
    const [bids, asks] = [row[BOOK.bids], row[BOOK.asks]];
    for (const side of [bids, asks]) this.sizesOf(id).seeSide(side);
    this.book = { id, decimals, bids, asks, partial: row[BOOK.partial] === 1 };
  }
}
