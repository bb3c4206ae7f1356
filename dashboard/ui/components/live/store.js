// The page's end of the stream: it takes batches in, each once, and hands what they bring to those
// who keep it. The keys of a batch are described in dashboard/ui/batch.py.

import { Arrivals } from "./arrivals.js";
import { Cadence } from "./cadence.js";
import { ClockOffset, pageClock } from "./clock.js";
import { ECHO } from "./columns.js";
import { SILENT_MS, connectionState, reaches, standing } from "./connection.js";
import { Curves } from "./curves.js";
import { Finder } from "./finder.js";
import { Frames } from "./frames.js";
import { NO_INSTRUMENT } from "./instruments.js";
import { Market } from "./market.js";
import { Measurements } from "./measurements.js";
import { Sources, lastEvent } from "./sources.js";
import { summary } from "./statistics.js";
import { Strain } from "./strain.js";

/** The server is heard every half second at least. */
const SILENT_EDGE_MS = 1000;

/** What React components render from; replaced as a whole when it changes. */
export const EMPTY_SHAPE = Object.freeze({
  watched: [],
  known: 0,
  chosen: NO_INSTRUMENT,
  refused: {},
  paused: false,
  replayPaused: false,
  mayControl: true,
  signedIn: false,
  /** The number of the newest reset that can be undone; 0 when there is none. */
  undoable: 0,
  frequencyMs: 0,
  intervalMs: 0,
  connection: "connecting",
  /** What the numbers are, see `standing`, and since when in ms where they are not live; null where nobody knows. */
  stands: "connecting",
  since: null,
  reachable: false,
});

export class Store {
  constructor() {
    this.frames = new Frames(this);
    this.clock = new ClockOffset();
    this.measurements = new Measurements();
    this.strain = new Strain();
    this.cadence = new Cadence(this.strain);
    this.market = new Market({
      note: () => this.cadence.note(),
      askBars: (interval) => this.actions.bars?.(interval),
    });
    this.curves = new Curves();
    this.arrivals = new Arrivals();
    this.description = 0;
    this.known = 0;
    this.refused = EMPTY_SHAPE.refused;
    this.paused = false;
    /** Brings back what the last resets forgot, while that can be asked for; see `undoable`. */
    this.bringBack = null;
    this.resets = 0;
    this.replayPaused = false;
    this.mayControl = EMPTY_SHAPE.mayControl;
    this.signedIn = EMPTY_SHAPE.signedIn;
    this.frequencyMs = 0;
    this.intervalMs = 0;
    this.sources = new Sources();
    /** The feeds that the page is about. */
    this.about = [];
    this.system = null;
    this.socketDown = false;
    this.receivedAt = -Infinity;
    this.heardAt = -Infinity;
    this.connection = EMPTY_SHAPE.connection;
    this.stands = EMPTY_SHAPE.stands;
    this.since = EMPTY_SHAPE.since;
    this.reachable = EMPTY_SHAPE.reachable;
    this.actions = {};
    this.listeners = new Set();
    this.finder = new Finder({
      ask: (text, first) => this.actions.find?.(text, first),
      changed: () => this.tell(),
    });
    this.shape = EMPTY_SHAPE;
  }

  /** Forget every measurement, until `undoReset`; prices and book of the moment stay. */
  reset() {
    const undone = [this.market.reset(), this.measurements.reset(), this.bringBack];
    this.bringBack = () => {
      for (const each of undone) each?.();
    };
    this.resets += 1;
    this.cadence.hurry();
    this.changed();
  }

  /** Bring back what was forgotten since nobody could ask for it, with what came since. */
  undoReset() {
    this.bringBack?.();
    this.settleReset();
    this.cadence.hurry();
  }

  /** Forget for good what the resets forgot. */
  settleReset() {
    this.bringBack = null;
    this.changed();
  }

  get feeds() {
    return this.sources.feeds;
  }

  /** Run `listener` when the shape changes or something is found; gives the function that ends it. */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Bring the page up to date at once, text too, without waiting for a frame or a beat. */
  show() {
    this.cadence.hurry();
    this.frames.paint(performance.now());
  }

  /** Hold the stream, from this moment on also for what is under way, or let it go on. */
  setPaused(paused) {
    this.paused = paused;
    this.market.break();
    this.changed();
    this.actions.pause?.(paused);
    this.show();
  }

  /** Show the order book of the watched instrument of this full id. */
  choose(id) {
    const found = this.market.find(id);
    if (!found || found === this.market.chosen) return;
    this.market.choose(found);
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
    if (batch.i) this.finder.take(batch.i);
    if (batch.f) this.takeFeeds(batch.f, now);
    if (batch.e) this.clock.add(batch.e[ECHO.pageMs], batch.e[ECHO.cameMs], batch.t, pageClock(now));
    if (!this.paused) this.follow(batch, now);
    this.answer(batch, missed);
  }

  /** Tell the server that an opening has come, or that so many pushes before this one have not. */
  answer({ g, s }, missed) {
    if (s) this.actions.took?.(g);
    else if (missed > 0) this.actions.missed?.(g);
    if (s || missed > 0) this.finder.again();
  }

  /** Take what a page that is not paused shows of a batch. */
  follow(batch, now) {
    this.heardAt = now;
    this.measurements.countPush(now, batch.c);
    if (batch.v === this.description) this.market.take(batch, now);
    if (batch.j) this.curves.take(batch.j);
    if (batch.y) this.system = batch.y;
    if (batch.h && !this.frames.unseen) this.measurements.addHops(batch.h, this.serverTime(now) - batch.t);
    this.frames.arrived(now, batch);
  }

  /** Tell the server that nobody sees the page any more, or that somebody does again. */
  turn(hidden) {
    this.actions.hide?.(hidden);
    if (!hidden) this.show();
  }

  begin() {
    this.description = 0;
    if (this.frames.unseen) this.turn(true);
    this.measurements.begin();
    this.finder.begin();
    this.clock.clear();
    this.market.break();
    this.market.detail.followed = false;
  }

  /** Take a description; a stream that begins anew is told again what this page had asked for. */
  describe(d, version, begins) {
    const { market } = this;
    const known = market.watched.length > 0;
    if (version === this.description) return;
    this.description = version;
    market.watch(d.watched);
    this.known = d.known;
    if (JSON.stringify(d.refused) !== JSON.stringify(this.refused)) this.refused = d.refused;
    this.mayControl = d.may_control;
    this.signedIn = d.signed_in;
    this.frequencyMs = d.frequency_ms;
    this.intervalMs = d.interval_ms;
    if (begins && known && this.paused !== d.paused) this.actions.pause?.(this.paused);
    const kept = market.find(market.chosen.id);
    if (begins && known && kept && kept.id !== d.chosen) this.actions.choose?.(kept.id);
    market.choose(kept ?? market.find(d.chosen) ?? NO_INSTRUMENT);
    this.followSources();
    this.changed();
  }

  /** The time at the right edge of the charts: it stands still while the page is paused or hears nothing. */
  chartTime(now) {
    return this.market.detail.edge(this.serverTime(Math.min(now, this.heardAt + SILENT_EDGE_MS)));
  }

  /** The server's clock in ms when the page's shows `now` (performance.now()), as far as is known. */
  serverTime(now) {
    return pageClock(now) + this.clock.applied();
  }

  changed() {
    const { watched, chosen } = this.market;
    const { known, refused, paused, replayPaused, mayControl, signedIn } = this;
    const { frequencyMs, intervalMs, connection, stands, since, reachable } = this;
    const shape = {
      watched,
      known,
      chosen,
      refused,
      paused,
      replayPaused,
      mayControl,
      signedIn,
      undoable: this.bringBack ? this.resets : 0,
      frequencyMs,
      intervalMs,
      connection,
      stands,
      since,
      reachable,
    };
    if (Object.keys(shape).every((key) => shape[key] === this.shape[key])) return;
    this.shape = shape;
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  takeFeeds(feeds, now) {
    const { version } = this.sources;
    this.sources.take(feeds, now);
    if (this.sources.version !== version) this.cadence.note();
    this.followSources();
    this.changed();
  }

  /** Be about the feeds of what is watched, and leave gaps where they did not go on. */
  followSources() {
    this.about = this.sources.about(this.market.watched);
    this.replayPaused = this.about.length > 0 && this.about.every((feed) => feed.paused === true);
    this.market.breakOff(this.sources);
  }

  /** What stands between an instrument and its data: see `emptyText`. */
  lackOf({ id, feed }) {
    const state = this.sources.of({ feed })?.state ?? "live";
    return { unheard: this.connection === "reconnecting", refused: this.refused[id], feed, state };
  }

  /** Once a frame, before the painters. */
  tick(now) {
    const { beat } = this.cadence;
    const slow = this.cadence.advance(now);
    if (this.cadence.beat !== beat) this.market.settle();
    if (!slow) return;
    this.measurements.sumUp(now, this.paused);
    const way = { sinceBatch: now - this.receivedAt, socketDown: this.socketDown };
    const feeds = this.about.map((feed) => feed.state);
    this.reachable = reaches(way);
    this.connection = connectionState({ ...way, sinceLoad: now, feeds });
    this.stands = standing({ connection: this.connection, heard: way.sinceBatch <= SILENT_MS, feeds });
    this.since = this.lastKnown();
    this.changed();
  }

  /** Since when the page's numbers are not live any more, in ms; null where they are or nobody knows. */
  lastKnown() {
    if (["connecting", "live", "replayed"].includes(this.stands)) return null;
    if (this.stands === "unheard") return this.receivedAt > 0 ? Math.round(this.serverTime(this.receivedAt)) : null;
    const last = lastEvent(this.about);
    return last && this.sources.timeOf({ feed: last.feed.name }, last.ms);
  }

  sampleFps(fps) {
    this.strain.add(fps);
    this.measurements.fps.push(fps);
  }
}

export const store = new Store();

// A read-only hook for benchmarks: the measurements as the page has them.
if (typeof window !== "undefined") window.livetape = { store, summary };
