// Prices over time: what a card keeps of them, and the line that it draws.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { LAST, MID, Series } = await import(`${LIVE}/series.js`);
const { sparkRuns } = await import(`${LIVE}/sparkline.js`);

const list = (ring) => Array.from({ length: ring.length }, (_, at) => ring.at(at));

function seriesOf(samples, ...prices) {
  const series = new Series({ id: "X:A", decimals: 2 }, samples);
  for (const [price, at] of prices) series.push(price, at);
  return series;
}

const runsOf = (series, scale = 1) => sparkRuns(series, { x: (ms) => ms * scale, y: (price) => price });

test("a change is that since the oldest sample, and says over which time", () => {
  const series = seriesOf(3, [10, 0], [11, 50], [12, 100], [10.5, 1100]);
  assert.deepEqual(series.moved(), { first: 11, change: -0.5, trend: "down", spanMs: 1050 });
  assert.equal(seriesOf(3, [10, 0], [10, 9]).moved().trend, "flat");
  assert.equal(seriesOf(3).moved(), null);
});

test("a change of interval changes where prices stand, not the line's slope", () => {
  const often = Array.from({ length: 11 }, (_, at) => [100 + at, 10 * at]);
  const seldom = Array.from({ length: 4 }, (_, at) => [200 + 100 * at, 100 + 1000 * (at + 1)]);
  const [points] = runsOf(seriesOf(50, ...often, ...seldom));
  assert.deepEqual(points.slice(0, 6), [0, 100, 10, 101, 20, 102]);
  assert.deepEqual(points.slice(-8), [1100, 200, 2100, 300, 3100, 400, 4100, 500]);
});

test("of several prices in a pixel column the first, lowest, highest and last are drawn", () => {
  const series = seriesOf(9, [5, 0], [9, 1], [1, 2], [6, 3], [7, 10]);
  assert.deepEqual(runsOf(series, 0.1), [[0, 5, 0, 1, 0, 9, 0, 6, 1, 7]]);
});

test("a gap is not drawn over, as long as there are prices before it", () => {
  const series = seriesOf(3, [5, 0], [6, 10]);
  series.break();
  series.break();
  for (const [price, at] of [[7, 500], [8, 510]]) series.push(price, at);
  assert.deepEqual(runsOf(series), [[10, 6], [500, 7, 510, 8]]);
  series.push(9, 520);
  assert.deepEqual([runsOf(series), series.breaks], [[[500, 7, 510, 8, 520, 9]], []]);
});

test("two gaps without a price between them, or before the first, are one or none", () => {
  const series = seriesOf(5);
  series.break();
  series.push(5, 0);
  series.break();
  series.push(6, 10);
  series.break();
  series.push(7, 20);
  assert.deepEqual(runsOf(series), [[0, 5], [10, 6], [20, 7]]);
});

test("a price of another basis begins a series of its own", () => {
  const series = seriesOf(5);
  series.push(5, 0, MID);
  series.push(5.5, 10, MID);
  assert.equal(series.basis, MID);
  series.push(6, 20, LAST);
  assert.deepEqual([series.basis, list(series.prices), list(series.times), series.last], [LAST, [6], [20], 6]);
});

test("times never go back", () => {
  assert.deepEqual(list(seriesOf(5, [5, 10], [6, 4], [7, 20]).times), [10, 10, 20]);
});

test("a longer window keeps what is there, and a reset the last price", () => {
  const series = seriesOf(2, [5, 0], [6, 10]);
  series.resize(3);
  series.push(7, 20);
  assert.deepEqual([list(series.prices), list(series.times)], [[5, 6, 7], [0, 10, 20]]);
  series.clear();
  assert.deepEqual([series.prices.length, series.times.length, series.last], [0, 0, 7]);
});
