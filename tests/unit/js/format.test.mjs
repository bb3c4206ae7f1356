import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { NONE, age, basisPoints, decimal, duration, integer, milliseconds, percent, plain, signed, timeOfDay, wholeDuration } = await import(`${LIVE}/format.js`);
const T = "\u2009";
const M = "\u2212";

test("thin spaces group the thousands before the point only", () => {
  assert.equal(decimal(45123.45, 2), `45${T}123.45`);
  assert.equal(integer(1234567), `1${T}234${T}567`);
  assert.equal(decimal(0.123456, 6), "0.123456");
  assert.equal(integer(999), "999");
});

test("a minus is a minus sign, and zero has none", () => {
  assert.equal(decimal(-1234.5, 1), `${M}1${T}234.5`);
  assert.equal(decimal(-0.001, 2), "0.00");
  assert.equal(signed(0.84, 2), "+0.84");
  assert.equal(signed(-0.31, 2), `${M}0.31`);
  assert.equal(signed(0.001, 2), "0.00");
});

test("what is not a number is a dash", () => {
  for (const value of [undefined, NaN, Infinity]) assert.equal(decimal(value, 2), NONE);
  assert.equal(timeOfDay(NaN), NONE);
  assert.equal(age(undefined), NONE);
});

test("milliseconds have fewer decimals the more they are", () => {
  assert.deepEqual([6.234, 62.34, 623.4].map(milliseconds), ["6.23", "62.3", "623"]);
});

test("times are UTC, with milliseconds where asked for", () => {
  const at = Date.UTC(2026, 0, 2, 14, 32, 7, 418);
  assert.equal(timeOfDay(at), "14:32:07");
  assert.equal(timeOfDay(at, true), "14:32:07.418");
});

test("an age is in the unit that fits", () => {
  assert.deepEqual([0.04, 3.21, 300, 7300].map(age), ["40 ms", "3.2 s", "5 min", "2 h"]);
});

test("a plain number has the decimals that it has", () => {
  assert.deepEqual([0.0001, 0.05, 1, 1000, 0.5].map(plain), ["0.0001", "0.05", "1", `1${T}000`, "0.5"]);
  assert.deepEqual([1e-15, 0.1 + 0.2, -0.25, 0].map(plain), ["0.000000000000001", "0.3", `${M}0.25`, "0"]);
  assert.equal(plain(NaN), NONE);
});

test("a length of time is in whole units", () => {
  assert.deepEqual([1, 90, 60, 900, 5400, 3600, 86_400].map(wholeDuration), ["1 s", "90 s", "1 min", "15 min", "90 min", "1 h", "24 h"]);
  assert.deepEqual([0, 9.96, 59.4, 59.6, 3569, 3571, 7300].map(duration), ["0 s", "10 s", "59 s", "1 min", "59 min", "1 h", "2 h"]);
});

test("a part of a base that is not above zero is a dash", () => {
  assert.equal(percent(1, 40), "+2.50 %");
  assert.equal(percent(-1, 40), `${M}2.50 %`);
  assert.equal(basisPoints(0.1, 100), "10.00");
  for (const base of [0, -0, -37.63, NaN, undefined]) {
    assert.equal(percent(1, base), NONE);
    assert.equal(basisPoints(1, base), NONE);
  }
});

test("prices below zero and the smallest ones are written by their tick", () => {
  assert.equal(decimal(-37.63, 2), `${M}37.63`);
  assert.equal(decimal(-1234.5, 2), `${M}1${T}234.50`);
  assert.equal(decimal(3e-15, 15), "0.000000000000003");
});

test("what is there never looks like nothing", () => {
  assert.deepEqual([1e-12, 1e-21, -1e-21, 1e21].map(plain), ["0.000000000001", "1.00e\u221221", "\u22121.00e\u221221", "1.00e+21"]);
  for (let exponent = -300; exponent <= 300; exponent += 7) {
    assert.match(plain(3 * 10 ** exponent), /[1-9]/);
  }
  for (const value of [NaN, Infinity, undefined]) assert.equal(plain(value), NONE);
});
