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

/** What each frame of 16 ms with news in it wrote, up to `end` ms. */
function frames(end) {
  const written = [];
  for (let now = 16; now <= end; now += 16) {
    const before = { ...cadence };
    cadence.note();
    cadence.advance(now);
    written.push(["beat", "trades", "slow"].filter((each) => cadence[each] !== before[each]));
  }
  return written;
}

const count = (written, name) => written.filter((each) => each.includes(name)).length;

test("there are up to eight beats a second, each with its trades, and statistics about four times", () => {
  const written = frames(1000);
  assert.deepEqual(["beat", "trades", "slow"].map((each) => count(written, each)), [7, 7, 3]);
});

test("no frame writes two of them", () => {
  const written = frames(2000);
  assert.ok(written.every(({ length }) => length < 2));
  const beat = written.findIndex((each) => each.includes("beat"));
  assert.deepEqual(written[beat + 1], ["trades"]);
});

test("under strain all are rarer", () => {
  cadence.strain = { stretched: (ms) => 4 * ms };
  const written = frames(2000);
  assert.deepEqual(["beat", "trades", "slow"].map((each) => count(written, each)), [4, 4, 1]);
});

test("without news there is no beat, and what is slow goes on", () => {
  const { beat, slow } = cadence;
  assert.equal(cadence.advance(200), false);
  assert.equal(cadence.advance(300), true);
  assert.deepEqual([cadence.beat, cadence.trades, cadence.slow], [beat, beat, slow + 1]);
});

test("a hurry writes everything in the next frame", () => {
  const { beat, slow } = cadence;
  cadence.hurry();
  assert.equal(cadence.advance(1), true);
  assert.deepEqual([cadence.beat, cadence.trades, cadence.slow], [beat + 1, beat + 1, slow + 1]);
});
