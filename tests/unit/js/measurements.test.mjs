import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Measurements } = await import(`${LIVE}/measurements.js`);

let measurements;

beforeEach(() => {
  measurements = new Measurements();
});

test("what is lost is counted from one notice to the next, and goes on over a new stream", () => {
  measurements.countLost([5, 1]);
  measurements.countLost([5, 3]);
  measurements.begin();
  measurements.countLost([2, 0]);
  assert.deepEqual([measurements.conflated, measurements.lost], [7, 3]);
});

test("a reset forgets what was counted, and not what was told", () => {
  measurements.countLost([5, 1]);
  measurements.countPush(0, 9);
  measurements.reset();
  measurements.countLost([6, 1]);
  assert.deepEqual([measurements.total, measurements.conflated, measurements.lost], [0, 1, 0]);
});

test("a frame's newest message counts once, all messages each with its push", () => {
  measurements.addLatency(5, [100, 3, 110, 1], 115);
  measurements.sumUp(115, false);
  assert.equal(measurements.latencies.newest.p50, 5);
  assert.equal(measurements.latencies.all.p50, 15);
});

test("the trend gets a rate a second, and a paused page has none", () => {
  for (let now = 1000; now <= 4000; now += 100) {
    measurements.countPush(now, 2);
    measurements.sumUp(now, false);
  }
  assert.equal(measurements.rateNow.messages, 20);
  assert.equal(measurements.rates.length, 3, "none before the second push");
  measurements.sumUp(5000, true);
  assert.equal(measurements.rateNow, null);
  assert.equal(measurements.rates.length, 3);
});
