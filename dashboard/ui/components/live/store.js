// What the page knows: the rolling windows that batches fill and panels draw.
// The keys of a batch are described in dashboard/ui/batch.py.

import { Arrivals } from "./arrivals.js";
import { Cadence } from "./cadence.js";
import { ClockOffset, pageClock } from "./clock.js";
import { BOOK, ECHO, PAST, TRADE } from "./columns.js";
import { connectionState } from "./connection.js";
import { Detail } from "./detail.js";
import { Frames } from "./frames.js";
import { NO_INSTRUMENT, listedOf, watchedOf } from "./instruments.js";
import { Measurements } from "./measurements.js";
import { Series } from "./series.js";
import { summary } from "./statistics.js";
import { Strain } from "./strain.js";

const KEPT_TRADES = 100;
/** The server is heard every half second at least. */
const SILENT_EDGE_MS = 1000;

/** What React components render from; replaced as a whole when it changes. */
export const EMPTY_SHAPE = Object.freeze({
  watched: [],
  instruments: null,
  known: 0,
  chosen: NO_INSTRUMENT,
  paused: false,
  replayPaused: false,
  frequencyMs: 0,
  intervalMs: 0,
  connection: "connecting",
});

export class Store {
  constructor() {
    this.sampleWindow = 200;
    this.frames = new Frames(this);
    this.clock = new ClockOffset();
    this.detail = new Detail();
    this.measurements = new Measurements();
    this.strain = new Strain();
    this.cadence = new Cadence(this.strain);
    this.arrivals = new Arrivals();
    this.description = 0;
    this.rows = [];
    this.watched = [];
    this.instruments = null;
    this.wantsInstruments = false;
    this.known = 0;
    this.chosen = NO_INSTRUMENT;
    this.paused = false;
    this.replayPaused = false;
    this.frequencyMs = 0;
    this.intervalMs = 0;
    this.feeds = [];
    this.feedsAt = 0;
    this.system = null;
    this.series = new Map();
    this.book = null;
    this.socketDown = false;
    this.receivedAt = -Infinity;
    this.heardAt = -Infinity;
    this.connection = "connecting";
    this.connectionSince = 0;
    this.actions = {};
    this.listeners = new Set();
    this.shape = EMPTY_SHAPE;
    this.trades = [];
    this.tradesSeen = 0;
  }

  /** Forget every measurement; prices and book of the moment stay. */
  reset() {
    for (const series of this.series.values()) {
      series.prices.clear();
      series.version += 1;
    }
    this.detail.resetCounts();
    this.measurements.reset();
    this.trades = [];
    this.tradesSeen += KEPT_TRADES;
    this.cadence.hurry();
  }

  /** Run `listener` when instruments, choice, pause or frequency change; gives the function that ends it. */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Bring the page up to date at once, text too, without waiting for a frame or a beat. */
  show() {
    this.cadence.hurry();
    this.frames.paint(performance.now());
  }

  setSampleWindow(samples) {
    this.sampleWindow = samples;
    for (const series of this.series.values()) {
      series.prices = series.prices.resized(samples);
      series.version += 1;
    }
  }

  /** Hold the stream, from this moment on also for what is under way, or let it go on. */
  setPaused(paused) {
    this.paused = paused;
    this.changed();
    this.actions.pause?.(paused);
    this.show();
  }

  /** The order book of the instrument of this full id, or null while it is not here. */
  bookOf(id) {
    return this.book?.id === id ? this.book : null;
  }

  /** Show the order book of the watched instrument of this full id. */
  choose(id) {
    const found = this.watched.find((each) => each.id === id);
    if (!found || found === this.chosen) return;
    this.chosen = found;
    this.changed();
    this.actions.choose?.(id);
  }

  /** Take one batch in; `now` is performance.now() when it reached the page's code. */
  ingest(batch, now) {
    const { begins, missed } = this.arrivals.take(batch);
    if (begins) this.begin();
    this.measurements.missed += missed;
    this.receivedAt = now;
    this.measurements.countLost(batch.l);
    if (batch.d) this.describe(batch.d, batch.v, begins);
    if (batch.i) this.takeInstruments(batch.i);
    if (batch.f) this.takeFeeds(batch.f, now);
    if (batch.e) this.clock.add(batch.e[ECHO.pageMs], batch.e[ECHO.cameMs], batch.t, pageClock(now));
    if (!this.paused) this.follow(batch, now);
    this.answer(batch, missed);
  }

  /** Tell the server that an opening has come, or that so many pushes before this one have not. */
  answer({ g, s }, missed) {
    const lacksInstruments = this.wantsInstruments && !this.instruments;
    if (s) {
      this.actions.took?.(g);
      if (lacksInstruments) this.actions.list?.();
    } else if (missed > 0) this.actions.missed?.(g, lacksInstruments);
  }

  /** Take what a page that is not paused shows of a batch. */
  follow(batch, now) {
    this.heardAt = now;
    this.measurements.countPush(now, batch.c);
    if (batch.v === this.description) this.takeMarket(batch, now);
    if (batch.y) this.system = batch.y;
    if (batch.h) this.measurements.addHops(batch.h, this.serverTime(now) - batch.t);
    this.frames.arrived(now, batch);
  }

  begin() {
    this.description = 0;
    this.measurements.begin();
    this.clock.clear();
    this.detail.followed = false;
  }

  /** Take a description; a stream that begins anew is told again what this page had asked for. */
  describe(d, version, begins) {
    const known = this.watched.length > 0;
    if (version === this.description) return;
    this.description = version;
    this.watch(d.watched);
    this.known = d.known;
    this.frequencyMs = d.frequency_ms;
    this.intervalMs = d.interval_ms;
    if (begins && known && this.paused !== d.paused) this.actions.pause?.(this.paused);
    const kept = this.watched.find(({ id }) => id === this.chosen.id);
    if (begins && known && kept && kept.id !== d.chosen) this.actions.choose?.(kept.id);
    this.chosen = kept ?? this.watched.find(({ id }) => id === d.chosen) ?? NO_INSTRUMENT;
    this.changed();
  }

  /** Watch the instruments of these rows, with the series that are here of them. */
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

  /** The time at the right edge of the charts: it stands still while the page is paused or hears nothing. */
  chartTime(now) {
    return this.detail.edge(this.serverTime(Math.min(now, this.heardAt + SILENT_EDGE_MS)));
  }

  /** The server's clock in ms when the page's shows `now` (performance.now()), as far as is known. */
  serverTime(now) {
    return pageClock(now) + this.clock.applied();
  }

  changed() {
    const { watched, instruments, known, chosen, paused, replayPaused, frequencyMs, intervalMs, connection } = this;
    const shape = { watched, instruments, known, chosen, paused, replayPaused, frequencyMs, intervalMs, connection };
    if (Object.keys(shape).every((key) => shape[key] === this.shape[key])) return;
    this.shape = shape;
    if (this.detail.begin(chosen)) this.book = null;
    for (const listener of this.listeners) listener();
  }

  /** Ask for the list of all instruments, once: `instruments` in the shape is null until it comes. */
  listInstruments() {
    this.wantsInstruments = true;
    if (!this.instruments) this.actions.list?.();
  }

  takeInstruments(rows) {
    this.instruments = rows.map(listedOf);
    this.changed();
  }

  takeFeeds(feeds, now) {
    this.feeds = feeds;
    this.feedsAt = now;
    this.replayPaused = feeds.length > 0 && feeds.every((feed) => feed.paused === true);
    this.changed();
  }

  takeMarket(batch, now) {
    if (batch.w) this.detail.followed = true;
    if (batch.p) this.takePrices(batch.p, now, batch.t);
    if (batch.w) this.replaceTrades(batch.w[PAST.trades]);
    if (batch.q || batch.w || batch.m || batch.o !== undefined) this.takeDetail(batch);
    if (batch.a && !this.detail.bars.take(batch.a)) this.actions.bars?.(this.detail.bars.interval);
    if (batch.r) this.takeTrades(batch.r);
    if (batch.b) this.takeBook(batch.b);
  }

  takePrices(flat, now, sent) {
    for (let i = 0; i < flat.length; i += 2) {
      const instrument = this.watched[flat[i]];
      this.series.get(instrument.id).push(flat[i + 1], now);
      if (instrument === this.chosen) this.detail.takePrice(sent, flat[i + 1]);
    }
    this.cadence.note();
  }

  takeTrades(rows) {
    for (const row of rows) {
      const trade = this.tradeOf(row);
      this.trades.unshift(trade);
      if (trade.instrument === this.chosen) this.detail.takeTrade(trade);
    }
    this.cadence.note();
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
    this.cadence.note();
  }

  takeDetail(batch) {
    this.detail.take(batch);
    this.cadence.note();
  }

  takeBook(row) {
    const { id, decimals } = this.watched[row[BOOK.at]];
    const [bids, asks] = [row[BOOK.bids], row[BOOK.asks]];
    this.book = { id, decimals, bids, asks, partial: row[BOOK.partial] === 1 };
    this.cadence.note();
  }

  /** Once a frame, before the painters. */
  tick(now) {
    if (!this.cadence.advance(now)) return;
    this.measurements.sumUp(now, this.paused);
    const connection = connectionState({
      sinceBatch: now - this.receivedAt,
      socketDown: this.socketDown,
      feeds: this.feeds.map((feed) => feed.state),
    });
    if (connection === this.connection) return;
    this.connection = connection;
    const silent = this.receivedAt > 0 && connection !== "live";
    this.connectionSince = silent ? pageClock(this.receivedAt) : Date.now();
    this.changed();
  }

  sampleFps(fps) {
    this.strain.add(fps);
    this.measurements.fps.push(fps);
  }
}

export const store = new Store();

// A read-only hook for benchmarks: the measurements as the page has them.
if (typeof window !== "undefined") window.livetape = { store, summary };
