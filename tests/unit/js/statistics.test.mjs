import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Ring, WeightedRing, percentile, summary } = await import(`${LIVE}/statistics.js`);

const filled = (capacity, values) => {
  const ring = new Ring(capacity);
  for (const value of values) ring.push(value);
  return ring;
};
const listed = (ring) => Array.from({ length: ring.length }, (_, at) => ring.at(at));

test("a ring keeps the newest values, oldest first", () => {
  const ring = filled(3, [1, 2, 3, 4, 5]);
  assert.deepEqual(listed(ring), [3, 4, 5]);
  assert.equal(ring.last(), 5);
});

test("a ring forgets everything when cleared", () => {
  const ring = filled(3, [1, 2, 3, 4]);
  ring.clear();
  assert.equal(ring.length, 0);
  assert.equal(ring.last(), undefined);
  ring.push(7);
  assert.deepEqual(listed(ring), [7]);
});

test("a resized ring keeps the newest that fit", () => {
  const ring = filled(4, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(listed(ring.resized(2)), [5, 6]);
  assert.deepEqual(listed(ring.resized(9)), [3, 4, 5, 6]);
});

test("sorted gives the values in rising order after wrapping too", () => {
  assert.deepEqual([...filled(4, [9, 1, 5, 3, 7]).sorted()], [1, 3, 5, 7]);
});

test("percentile takes index floor((n-1)*p)", () => {
  const sorted = [10, 20, 30, 40];
  assert.equal(percentile(sorted, 0.5), 20);
  assert.equal(percentile(sorted, 0.95), 30);
  assert.equal(percentile(sorted, 1), 40);
  assert.equal(percentile([], 0.5), undefined);
});

test("summary gives mean, p50 and p95, and null while empty", () => {
  assert.equal(summary(new Ring(3)), null);
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  assert.deepEqual(summary(filled(100, values)), { mean: 50.5, p50: 50, p95: 95 });
});

test("a weighted summary is that of the values written out", () => {
  const weighted = new WeightedRing(10);
  const plain = new Ring(100);
  for (const [value, weight] of [[5, 3], [1, 10], [9, 1], [4, 0], [7, 6]]) {
    weighted.push(value, weight);
    for (let i = 0; i < weight; i += 1) plain.push(value);
  }
  assert.deepEqual(summary(weighted), summary(plain));
});

test("a weighted ring that wraps or is cleared keeps value and weight together", () => {
  const ring = new WeightedRing(2);
  ring.push(1, 100);
  ring.push(2, 1);
  ring.push(3, 1);
  assert.deepEqual(summary(ring), { mean: 2.5, p50: 2, p95: 2 });
  ring.clear();
  assert.equal(summary(ring), null);
});
