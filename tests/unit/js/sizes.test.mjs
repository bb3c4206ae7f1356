import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Sizes } = await import(`${LIVE}/sizes.js`);
const T = "\u2009";

/** The sizes as they are written once all have been seen. */
function written(...values) {
  const sizes = new Sizes();
  for (const value of values) sizes.see(value);
  return values.map((value) => sizes.text(value));
}

test("all sizes of an instrument have the same decimals", () => {
  assert.deepEqual(written(4, 4.027, 0.002, 0.1), ["4.000", "4.027", "0.002", "0.100"]);
  assert.deepEqual(written(25, 1250, 186_730), ["25", `1${T}250`, `186${T}730`]);
});

test("large sizes have thin spaces, and leave out decimals but for two", () => {
  assert.deepEqual(written(23_012.345, 999.5, 12_345_678.25), [`23${T}012.35`, "999.50", `12${T}345${T}678.25`]);
  assert.deepEqual(written(0.12345678, 335), ["0.123", "335.000"]);
});

test("small sizes have the decimals that show them, eight at most", () => {
  assert.deepEqual(written(0.00002, 0.0005), ["0.00002", "0.00050"]);
  assert.deepEqual(written(1.234e-8), ["0.00000001"]);
});

test("what is there never looks like nothing", () => {
  assert.deepEqual(written(0.00002, 0, 12_000.5), ["<0.01", "0.00", `12${T}000.50`]);
  for (let exponent = -300; exponent <= 300; exponent += 7) assert.match(written(3 * 10 ** exponent)[0], /[1-9]/);
  assert.equal(new Sizes().text(NaN), "\u2014");
  assert.deepEqual(written(3e18), ["3.00e+18"]);
});

test("the noise of floats is no decimal", () => {
  assert.deepEqual(written(4.027, 0.1 + 0.2, 1e14 + 0.5), ["4.03", "0.30", `100${T}000${T}000${T}000${T}000.50`]);
});

test("the sizes of a book are every second number of its sides", () => {
  const sizes = new Sizes();
  sizes.seeSide([45_000.125, 2, 44_999, 0.5]);
  assert.equal(sizes.decimals, 1);
});
