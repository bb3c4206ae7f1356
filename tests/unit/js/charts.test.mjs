// What the charts of one instrument draw: steps, depth, axes, bars.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Timeline } = await import(`${LIVE}/timeline.js`);
const { dotRadius, priceRange, stepRuns } = await import(`${LIVE}/steps.js`);
const { cumulate, depthOf, sizeUpTo } = await import(`${LIVE}/depth.js`);
const { decimalsOf, keptRange, niceStep, niceTicks, timeTicks } = await import(`${LIVE}/axis.js`);
const { Bars, emptyBetween, intervalsOf } = await import(`${LIVE}/bars.js`);
const { movedBy } = await import(`${LIVE}/chartkeys.js`);

/** Quotes of [ms, bid]; the other columns do not matter. */
const quotes = (...rows) => {
  const timeline = new Timeline(1e9);
  for (const row of rows) timeline.push(row);
  return timeline;
};
const runs = (timeline, to = 100, from = 0) => stepRuns(timeline, 1, { from, to, x: (ms) => ms - from });

test("a timeline forgets what is too old, but keeps what held when its span begins", () => {
  const timeline = new Timeline(100);
  for (let ms = 0; ms <= 20_000; ms += 10) timeline.push([ms]);
  assert.deepEqual(timeline.at(0), [19_900]);
  assert.equal(timeline.length, 11);
  timeline.push([30_000]);
  assert.deepEqual([timeline.at(0), timeline.length], [[20_000], 2]);
});

test("a row that comes late goes to its place", () => {
  const timeline = quotes([10], [30], [20], [30, "later"], [5]);
  assert.deepEqual([0, 1, 2, 3, 4].map((at) => timeline.at(at)), [[5], [10], [20], [30], [30, "later"]]);
  const kept = new Timeline(100);
  for (const ms of [1000, 1050, 5000, 1060, 4950]) kept.push([ms]);
  assert.deepEqual([kept.length, kept.after(4900)], [3, 1], "what is too old is forgotten");
});

test("a timeline finds the first row after a time", () => {
  const timeline = quotes([10], [20], [20], [30]);
  assert.deepEqual([5, 10, 20, 29, 30, 99].map((ms) => timeline.after(ms)), [0, 1, 3, 3, 4, 4]);
});

test("a price holds until the next quote, and then steps", () => {
  assert.deepEqual(runs(quotes([0, 5], [40, 7])), [[0, 5, 40, 5, 40, 7, 100, 7]]);
});

test("an empty side is a gap", () => {
  assert.deepEqual(runs(quotes([0, 5], [20, null], [60, 6])), [
    [0, 5, 20, 5],
    [60, 6, 100, 6],
  ]);
});

test("the quote before the window holds at its left edge", () => {
  assert.deepEqual(runs(quotes([0, 4], [10, 5], [80, 6]), 100, 50), [[0, 5, 30, 5, 30, 6, 50, 6]]);
});

test("an unchanged price makes no point", () => {
  assert.deepEqual(runs(quotes([0, 5], [10, 5], [20, 5])), [[0, 5, 100, 5]]);
});

test("many quotes in a pixel column keep lowest, highest and last", () => {
  const timeline = quotes([0, 5]);
  for (let at = 0; at < 1000; at += 1) timeline.push([10 + at / 2000, at === 999 ? 6 : [5, 9, 2][at % 3]]);
  const [points] = runs(timeline);
  const inColumn = points.filter((_, at) => at % 2 === 0 && Math.floor(points[at]) === 10).length;
  assert.ok(inColumn <= 5, `${inColumn} points`);
  assert.ok(points.includes(9) && points.includes(2));
  assert.equal(points.at(-1), 6);
});

test("the range holds quotes and trades in sight, and no empty side", () => {
  const rows = quotes([0, 5, 1, 6, 1], [50, null, 0, 8, 1], [500, 99, 1, 100, 1]);
  const trades = quotes([60, 9.5, 1, 1]);
  assert.deepEqual(priceRange(rows, trades, [1, 3], 10, 100), { low: 5, high: 9.5 });
  assert.equal(priceRange(quotes(), quotes(), [1, 3], 0, 1), null);
});

test("a dot's area follows the size", () => {
  assert.equal(dotRadius(100, 100, 9), 9);
  assert.equal(dotRadius(25, 100, 9), 4.5);
  assert.equal(dotRadius(0.0001, 100, 9), 1.5);
});

const BOOK = { bids: [10, 1, 9, 2, 7, 3], asks: [11, 4, 12, 1] };

test("depth adds up from the best price on", () => {
  assert.deepEqual(cumulate(BOOK.bids), [[10, 1], [9, 3], [7, 6]]);
});

test("a depth chart is centred on the mid and holds the farther side", () => {
  const depth = depthOf(BOOK);
  assert.equal(depth.mid, 10.5);
  assert.equal(depth.most, 6);
  assert.ok(depth.low < 7 && depth.high > 12);
  assert.equal(depth.mid - depth.low, depth.high - depth.mid);
  assert.equal(depthOf({ bids: [], asks: [11, 4] }), null);
});

test("the size up to a price is that of all better ones", () => {
  const depth = depthOf(BOOK);
  assert.deepEqual([8.9, 9, 7, 10.2].map((price) => sizeUpTo(depth, price)[1]), [3, 3, 6, 0]);
  assert.deepEqual(sizeUpTo(depth, 11.5), ["ask", 4]);
});

test("axes have round numbers, no finer than a tick", () => {
  assert.deepEqual(niceTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.equal(niceStep(100, 100.03, 10, 0.01), 0.01);
  assert.equal(niceStep(1.2345, 1.2355, 4, 0.0001), 0.0005);
  assert.deepEqual([0.5, 0.01, 25, 0.0001].map((step) => decimalsOf(step, 2)), [1, 2, 0, 2]);
});

test("times on an axis are round seconds", () => {
  assert.deepEqual(timeTicks(61_500, 121_500, 6), [70_000, 80_000, 90_000, 100_000, 110_000, 120_000]);
});

test("a range stays while it holds what is drawn and is not much too wide", () => {
  const first = keptRange(null, { low: 10, high: 20 }, 1);
  assert.deepEqual(first, { low: 8.5, high: 21.5 });
  assert.equal(keptRange(first, { low: 9, high: 21 }, 1), first);
  assert.notEqual(keptRange(first, { low: 9, high: 22 }, 1), first);
  assert.notEqual(keptRange(first, { low: 14, high: 15 }, 1), first);
  const flat = keptRange(null, { low: 10, high: 10 }, 4);
  assert.ok(flat.high - flat.low >= 4);
});

test("bars grow, and the newest ones replace what is here of them", () => {
  const bars = new Bars();
  assert.equal(bars.take(["1s", [[1, 5, 5, 5, 5, 1], [2, 6, 6, 6, 6, 1]], 1]), true);
  bars.take(["1s", [[2, 6, 9, 6, 8, 2], [3, 8, 8, 8, 8, 1]], 0]);
  assert.deepEqual(bars.rows.map(([time, , high]) => [time, high]), [[1, 5], [2, 9], [3, 8]]);
  bars.take(["1s", [[7, 1, 1, 1, 1, 1]], 1]);
  assert.deepEqual(bars.rows.map(([time]) => time), [7]);
});

test("a late bar goes to its place and leaves the newer ones", () => {
  const bars = new Bars();
  bars.take(["1s", [[1, 5, 5, 5, 5, 1], [2, 6, 6, 6, 6, 1], [6, 9, 9, 9, 9, 1]], 1]);
  bars.takeFresh();
  bars.take(["1s", [[2, 6, 7, 6, 7, 2], [4, 8, 8, 8, 8, 1], [0, 1, 1, 1, 1, 1]], 0]);
  assert.deepEqual(bars.rows.map(([time, , , , close]) => [time, close]), [[0, 1], [1, 5], [2, 7], [4, 8], [6, 9]]);
  assert.deepEqual(bars.takeFresh().map((at) => bars.rows[at][0]), [0, 2, 4]);
  assert.deepEqual(bars.takeFresh(), []);
});

test("no more bars are kept than the chart may show, and none of them is told as fresh", () => {
  const bars = new Bars();
  bars.take(["1s", Array.from({ length: 1600 }, (_, at) => [at, 1, 1, 1, 1, 1]), 1]);
  assert.deepEqual([bars.rows.length, bars.rows[0][0], bars.takeFresh().length], [1500, 100, 1500]);
});

test("bars of another interval are not taken", () => {
  const bars = new Bars();
  bars.choose("1m");
  assert.equal(bars.take(["1s", [[1, 5, 5, 5, 5, 1]], 1]), false);
  assert.equal(bars.rows.length, 0);
});

test("an instrument has the intervals that its feed's bars fill evenly; without such bars, all", () => {
  const names = (barMs) => intervalsOf({ barMs }).map(([name]) => name);
  assert.deepEqual([null, 1000, 60_000, 300_000, 7000, 3_600_000].map(names), [
    ["1s", "1m", "5m"],
    ["1s", "1m", "5m"],
    ["1m", "5m"],
    ["5m"],
    [],
    [],
  ]);
});

test("bars are of the interval that was chosen wherever there are such, else of the shortest", () => {
  const bars = new Bars();
  bars.begin({ barMs: 60_000 });
  assert.equal(bars.interval, "1m");
  bars.take(["1m", [[60, 5, 5, 5, 5, 1]], 1]);
  bars.begin({ barMs: 60_000 });
  assert.equal(bars.rows.length, 1, "what is shown of the same stays");
  bars.begin({ barMs: null });
  assert.deepEqual([bars.interval, bars.rows.length], ["1s", 0]);
  bars.choose("5m");
  bars.begin({ barMs: 60_000 });
  assert.equal(bars.interval, "5m");
  bars.begin({ barMs: 3_600_000 });
  assert.deepEqual([bars.interval, bars.intervals], ["5m", []]);
});

test("intervals without a trade are empty, a long hole is cut short", () => {
  assert.deepEqual(emptyBetween(10, 13, 1), [11, 12]);
  assert.deepEqual(emptyBetween(60, 120, 60), []);
  assert.equal(emptyBetween(0, 1e9, 1).length, 120);
});

test("axes and ranges go below zero, and over it", () => {
  assert.deepEqual(niceTicks(-40, -36, 4), [-40, -39, -38, -37, -36]);
  assert.deepEqual(niceTicks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  const range = keptRange(null, { low: -37.63, high: -37.63 }, 0.04);
  assert.ok(range.low < -37.63 && range.high > -37.63);
  assert.equal(keptRange(range, { low: -37.64, high: -37.63 }, 0.04), range);
});

test("axes end, however large or small the prices are", () => {
  for (const price of [9e15, -9e15, 1e-15, -1e-15, 0]) {
    for (const tick of [1e-20, 1e-15, 0.01, 1]) {
      const range = keptRange(null, { low: price, high: price }, 4 * tick);
      assert.ok(range.low < range.high, `${price} ${tick}`);
      const ticks = niceTicks(range.low, range.high, 6, tick);
      assert.ok(ticks.length <= 8, `${price} ${tick}: ${ticks.length}`);
    }
  }
});

test("the depth of a book below zero is that of one above", () => {
  const depth = depthOf({ bids: [-38, 2, -39, 3], asks: [-37, 1, -35, 4] });
  assert.deepEqual([depth.mid, depth.bid, depth.ask], [-37.5, [[-38, 2], [-39, 5]], [[-37, 1], [-35, 5]]]);
  assert.ok(depth.low < -39 && depth.high > -35);
  assert.deepEqual(sizeUpTo(depth, -38.5), ["bid", 2]);
  assert.deepEqual(sizeUpTo(depth, -36), ["ask", 1]);
});

test("steps and their range go below zero", () => {
  const quotes = new Timeline(1000);
  for (const row of [[0, -1], [10, -2], [20, 0], [30, null]]) quotes.push(row);
  assert.deepEqual(runs(quotes), [[0, -1, 10, -1, 10, -2, 20, -2, 20, 0, 30, 0]]);
  assert.deepEqual(priceRange(quotes, new Timeline(1000), [1], 0, 100), { low: -2, high: 0 });
});

test("arrow keys move the crosshair within the chart, from its middle at first", () => {
  const size = { width: 100, height: 40 };
  const press = (key, at, shiftKey = false) => movedBy({ key, shiftKey }, at, size);
  assert.deepEqual(press("ArrowRight", null), { x: 58, y: 20 });
  assert.deepEqual(press("ArrowLeft", { x: 58, y: 3 }), { x: 50, y: 3 });
  assert.deepEqual(press("ArrowLeft", { x: 58, y: 3 }, true), { x: 0, y: 3 });
  assert.deepEqual([press("Home", null).x, press("End", null).x], [0, 100]);
  assert.equal(press("a", { x: 58, y: 3 }), null);
});
