// How well the stream reaches this page: what came, what did not, and how long it took. Pure.

import { HOPS, LOSSES } from "./columns.js";
import { Rate } from "./rate.js";
import { Ring, WeightedRing, summary } from "./statistics.js";

const LATENCIES = 600;
const TREND_SECONDS = 60;
const TREND_MS = 1000;

export class Measurements {
  constructor() {
    this.toldLost = [0, 0];
    this.trendAt = 0;
    this.reset();
  }

  /** Begin anew; gives the function that brings back what was measured, with what came since. */
  reset() {
    const before = { ...this, hops: { ...this.hops } };
    this.total = 0;
    this.missed = 0;
    this.conflated = 0;
    this.lost = 0;
    this.latency = new Ring(LATENCIES);
    this.latencyAll = new WeightedRing(LATENCIES * 4);
    this.latencies = { newest: null, all: null };
    this.hops = {
      sourceToHub: new Ring(LATENCIES),
      hubToSent: new Ring(LATENCIES),
      sentToReceived: new Ring(LATENCIES),
    };
    this.rate = new Rate();
    this.rateNow = null;
    this.rates = new Ring(TREND_SECONDS);
    this.fps = new Ring(TREND_SECONDS);
    return () => this.bringBack(before);
  }

  bringBack(before) {
    for (const count of ["total", "missed", "conflated", "lost"]) this[count] += before[count];
    for (const ring of ["latency", "latencyAll", "rates", "fps"]) this[ring] = before[ring].take(this[ring]);
    for (const hop of Object.keys(this.hops)) this.hops[hop] = before.hops[hop].take(this.hops[hop]);
  }

  /** Expect the counters of another stream, which begin with nothing. */
  begin() {
    this.toldLost = [0, 0];
  }

  /** Take a stream's counters so far of what was conflated and lost on the way. */
  countLost(row) {
    const [conflated, lost] = [row[LOSSES.conflated], row[LOSSES.lost]];
    this.conflated += Math.max(0, conflated - this.toldLost[0]);
    this.lost += Math.max(0, lost - this.toldLost[1]);
    this.toldLost = [conflated, lost];
  }

  /** Note a push of `count` messages that came at `now` in ms. */
  countPush(now, count) {
    this.total += count;
    this.rate.add(now, count);
  }

  /** Take a push's way here, in ms: `h` of the batch, and from its sending to the page's code. */
  addHops(row, sentToReceived) {
    this.hops.sourceToHub.push(row[HOPS.sourceToHub]);
    this.hops.hubToSent.push(row[HOPS.hubToSent]);
    this.hops.sentToReceived.push(sentToReceived);
  }

  /** Take a frame that ended at `painted`: its newest message's latency, and [arrival, count, ...] of its pushes. */
  addLatency(newest, arrivals, painted) {
    this.latency.push(newest);
    for (let i = 0; i < arrivals.length; i += 2) {
      this.latencyAll.push(painted - arrivals[i], arrivals[i + 1]);
    }
  }

  /** Bring up to date what is summed up; a page that is `paused` has no rate. */
  sumUp(now, paused) {
    this.latencies = { newest: summary(this.latency), all: summary(this.latencyAll) };
    this.rateNow = paused ? null : this.rate.at(now);
    if (now - this.trendAt < TREND_MS) return;
    this.trendAt = now;
    if (this.rateNow) this.rates.push(this.rateNow.messages);
  }
}
