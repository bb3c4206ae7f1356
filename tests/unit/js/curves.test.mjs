// The clients' PnL over time, put together from what the server tells.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Curves } = await import(`${LIVE}/curves.js`);

const MINUTE = 60;
let curves;

/** A part over one minute: names and rows, up to a bucket of a second. */
function take(bucket, rows, names = null) {
  curves.take([1, bucket, 1000 * bucket, 1000, names, rows]);
}

const whole = (value) => new Array(MINUTE + 1).fill(value);
const ends = () => curves.lines.map(({ values }) => values.slice(-3));

beforeEach(() => {
  curves = new Curves();
  take(100, [whole(1), whole(2)], [["X:Ann", "Ann"], ["X:Bob", "Bob"]]);
});

test("the newest points follow those that are here, the last one anew", () => {
  take(101, [[1.5, 3], [2, 2]]);
  assert.deepEqual(ends(), [[1, 1.5, 3], [2, 2, 2]]);
  assert.deepEqual(curves.range, [41_000, 101_000]);
  assert.ok(curves.lines.every(({ values }) => values.length === MINUTE + 1));
});

test("a line that is new is whole, the others go on", () => {
  take(101, [[2, 4], whole(9)], [["X:Bob", "Bob"], ["X:Cid", "Cid"]]);
  assert.deepEqual(curves.lines.map(({ label }) => label), ["Bob", "Cid"]);
  assert.deepEqual(ends(), [[2, 2, 4], [9, 9, 9]]);
});

test("another range begins anew", () => {
  curves.take([5, 100, 100_000, 1000, [["X:Ann", "Ann"]], [new Array(301).fill(null)]]);
  assert.deepEqual([curves.lines[0].values.length, ends()[0]], [301, [null, null, null]]);
  assert.deepEqual(curves.range, [-200_000, 100_000]);
});

test("points that did not come are missing until the line comes whole", () => {
  take(103, [[5], [6]]);
  assert.deepEqual(ends(), [[null, null, 5], [null, null, 6]]);
});

test("the lines of a server that counts otherwise replace those that are here", () => {
  take(7, [whole(3)], [["X:Ann", "Ann"]]);
  assert.deepEqual(curves.lines[0].values, whole(3));
});
