import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Ladder } = await import(`${LIVE}/ladder.js`);

/** A book of `levels` on each side, a number of ticks apart, the best bid at `bid` ticks. */
function bookAt(bid, { tick = 0.01, spread = 1, apart = 1, levels = 5 } = {}) {
  const side = (best, sign) =>
    Array.from({ length: levels }, (_, at) => [(best + sign * at * apart) * tick, at + 1]).flat();
  return { bids: side(bid, -1), asks: side(bid + spread, 1) };
}

const sizes = (rows, side) => rows.filter((row) => row[side]).map((row) => [row.tick, row[side]]);

test("rows follow each other by a tick, and empty levels have a row", () => {
  const { rows, byTicks } = new Ladder().rows(bookAt(17_500, { apart: 2 }), 0.01, 21);
  assert.equal(byTicks, true);
  assert.equal(rows.length, 21);
  for (let at = 1; at < rows.length; at += 1) assert.equal(rows[at - 1].tick - rows[at].tick, 1);
  assert.deepEqual(sizes(rows, "bid"), [[17_500, 1], [17_498, 2], [17_496, 3], [17_494, 4], [17_492, 5]]);
  assert.equal(rows.find(({ tick }) => tick === 17_499).bid, 0);
});

for (const tick of [0.0001, 0.0005, 0.01, 0.25, 1]) {
  test(`prices as floats fall on their ticks of ${tick}`, () => {
    const { rows } = new Ladder().rows(bookAt(123_457, { tick }), tick, 15);
    assert.deepEqual(sizes(rows, "bid").map(([at]) => at), [123_457, 123_456, 123_455, 123_454, 123_453]);
    for (const row of rows) assert.ok(Math.abs(row.price - row.tick * tick) < tick / 1000);
  });
}

test("best bid and ask are marked, once each", () => {
  const { rows } = new Ladder().rows(bookAt(100, { spread: 3 }), 0.01, 21);
  assert.deepEqual(rows.filter((row) => row.best).map((row) => [row.tick, row.best]), [[103, "ask"], [100, "bid"]]);
});

test("levels of one price add up", () => {
  const { rows, largest } = new Ladder().rows({ bids: [1, 2, 1, 3], asks: [1.01, 1] }, 0.01, 11);
  assert.deepEqual(sizes(rows, "bid"), [[100, 5]]);
  assert.equal(largest, 5);
});

test("the centre stays until the middle of the book leaves the middle third", () => {
  const ladder = new Ladder();
  const top = (bid) => ladder.rows(bookAt(bid), 0.01, 21).rows[0].tick;
  const first = top(1000);
  for (const bid of [1001, 1003, 998, 997, 1000]) assert.equal(top(bid), first);
  const moved = top(1005);
  assert.equal(moved - first, 5);
  for (const bid of [1003, 1007]) assert.equal(top(bid), moved);
});

test("a jump of the market is followed at once", () => {
  const ladder = new Ladder();
  ladder.rows(bookAt(1000), 0.01, 21);
  const { rows } = ladder.rows(bookAt(5000), 0.01, 21);
  assert.ok(rows.some((row) => row.best === "bid"));
});

test("where levels are many ticks apart the rows are the levels, best ones in the middle", () => {
  const { rows, byTicks } = new Ladder().rows(bookAt(4_500_000, { apart: 45, spread: 90 }), 0.01, 13);
  assert.equal(byTicks, false);
  assert.deepEqual(rows.map(({ tick }) => tick), [
    null, 4_500_270, 4_500_225, 4_500_180, 4_500_135, 4_500_090,
    4_500_000, 4_499_955, 4_499_910, 4_499_865, 4_499_820, null, null,
  ]);
  assert.ok(Number.isNaN(rows[0].price));
});

test("a book between the two does not let the ladder change its mind back and forth", () => {
  const [ticks, levels] = [new Ladder(), new Ladder()];
  const middling = bookAt(1000, { apart: 5, levels: 4 });
  assert.equal(ticks.rows(bookAt(1000), 0.01, 21).byTicks, true);
  assert.equal(levels.rows(bookAt(1000, { apart: 60 }), 0.01, 21).byTicks, false);
  assert.equal(ticks.rows(middling, 0.01, 21).byTicks, true);
  assert.equal(levels.rows(middling, 0.01, 21).byTicks, false);
  assert.equal(levels.rows(bookAt(1000), 0.01, 21).byTicks, true);
});

test("one side alone has its best in the middle, none at all has no rows", () => {
  const { rows } = new Ladder().rows({ bids: [], asks: [1.05, 2] }, 0.01, 11);
  assert.equal(rows[5].tick, 105);
  assert.equal(new Ladder().rows({ bids: [], asks: [] }, 0.01, 11), null);
});

for (const [bid, tick] of [[-3763, 0.01], [-1, 0.01], [0, 0.25], [-2, 1e-15]]) {
  test(`a ladder around ${bid} ticks of ${tick} has its rows from the highest down`, () => {
    const { rows, byTicks } = new Ladder().rows(bookAt(bid, { tick }), tick, 11);
    assert.equal(byTicks, true);
    for (let at = 1; at < rows.length; at += 1) assert.equal(rows[at - 1].tick - rows[at].tick, 1);
    const bids = rows.filter((row) => row.bid).map((row) => row.tick + 0);
    assert.deepEqual(bids, [bid, bid - 1, bid - 2, bid - 3, bid - 4]);
    assert.deepEqual(rows.filter((row) => row.best).map((row) => [row.tick + 0, row.best]), [[bid + 1, "ask"], [bid, "bid"]]);
    assert.ok(rows.every((row) => Math.abs(row.price - row.tick * tick) < tick / 1000));
  });
}
