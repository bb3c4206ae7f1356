// What the page knows: the rolling windows that batches fill and panels draw.

import { Frames } from "./frames.js";
import { Ring, summary } from "./statistics.js";

const KEPT_TRADES = 100;
const LATENCIES = 600;
const RATES = 60;

class Store {
  constructor() {
    this.sampleWindow = 200;
    this.frames = new Frames(this);
    this.generation = 0;
    this.number = 0;
    this.symbols = [];
    this.chosen = "";
    this.paused = false;
    this.frequencyMs = 0;
    this.intervalMs = 0;
    this.feeds = [];
    this.system = null;
    this.version = 0;
    this.series = new Map();
    this.book = null;
    this.offset = 0;
    this.reset();
  }

  /** Forget every measurement; prices and books of the moment stay. */
  reset() {
    for (const series of this.series.values()) series.prices.clear();
    this.total = 0;
    this.missed = 0;
    this.lost = [0, 0];
    this.lostBefore = this.lostNow ?? [0, 0];
    this.pushes = 0;
    this.trades = [];
    this.latency = new Ring(LATENCIES);
    this.latencyAll = new Ring(LATENCIES * 4);
    this.hops = { sourceToHub: new Ring(LATENCIES), hubToSent: new Ring(LATENCIES), sentToReceived: new Ring(LATENCIES) };
    this.rates = new Ring(RATES);
    this.fps = new Ring(RATES);
    this.version += 1;
  }

  setSampleWindow(samples) {
    this.sampleWindow = samples;
    for (const series of this.series.values()) series.prices = series.prices.resized(samples);
    this.version += 1;
  }

  /** Take one batch in; `now` is performance.now() when it reached the page's code. */
  ingest(batch, now) {
    if (batch.g !== this.generation) {
      this.generation = batch.g;
      this.number = batch.n - 1;
    }
    this.missed += batch.n - this.number - 1;
    this.number = batch.n;
    this.total += batch.c;
    this.pushes += 1;
    this.receivedAt = now;
    if (batch.d) this.describe(batch.d);
    if (batch.p) this.takePrices(batch.p);
    if (batch.f) this.feeds = batch.f;
    if (batch.y) this.system = batch.y;
    if (batch.h) {
      this.hops.sourceToHub.push(batch.h[0]);
      this.hops.hubToSent.push(batch.h[1]);
      this.hops.sentToReceived.push(performance.timeOrigin + now - batch.t);
    }
    this.frames.arrived(now, batch);
    this.version += 1;
  }

  describe(d) {
    this.symbols = d.symbols;
    for (const [symbol] of d.symbols) {
      if (!this.series.has(symbol)) this.series.set(symbol, { prices: new Ring(this.sampleWindow) });
    }
    this.frequencyMs = d.frequency_ms;
    this.intervalMs = d.interval_ms;
  }

  takePrices(flat) {
    for (let i = 0; i < flat.length; i += 2) this.series.get(this.symbols[flat[i]][0]).prices.push(flat[i + 1]);
  }

  sampleFps(fps) {
    this.fps.push(fps);
  }

  sampleLatency(newest, arrivals, painted) {
    this.latency.push(newest);
    for (let i = 0; i < arrivals.length; i += 2) {
      this.latencyAll.push(painted - arrivals[i]);
    }
  }
}

export const store = new Store();
if (typeof window !== "undefined") window.__store = { store, summary };
