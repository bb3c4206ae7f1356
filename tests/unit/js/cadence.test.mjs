import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Cadence } = await import(`${LIVE}/cadence.js`);

const ease = { stretched: (ms) => ms };
let cadence;

beforeEach(() => {
  cadence = new Cadence(ease);
  cadence.hurry();
  cadence.advance(0);
});

/** The counters after frames of 16 ms with news in each, up to `end` ms. */
function after(end) {
  const { beat, slow } = cadence;
  for (let now = 16; now <= end; now += 16) {
    cadence.note();
    cadence.advance(now);
  }
  return { beats: cadence.beat - beat, slows: cadence.slow - slow };
}

test("there are up to eight beats a second, and about four of them are slow", () => {
  assert.deepEqual(after(1000), { beats: 7, slows: 3 });
});

test("under strain both are rarer", () => {
  cadence.strain = { stretched: (ms) => 4 * ms };
  assert.deepEqual(after(1000), { beats: 2, slows: 2 });
});

test("without news there is no beat, and what is slow goes on", () => {
  const { beat, slow } = cadence;
  assert.equal(cadence.advance(300), false);
  assert.equal(cadence.advance(400), true);
  assert.deepEqual([cadence.beat, cadence.slow], [beat, slow + 1]);
});

test("a hurry writes everything in the next frame", () => {
  const { beat, slow } = cadence;
  cadence.hurry();
  assert.equal(cadence.advance(1), true);
  assert.deepEqual([cadence.beat, cadence.slow], [beat + 1, slow + 1]);
});
