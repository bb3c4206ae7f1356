import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { LEAD_MS, framePeriod, shortestArc, wantedShift, wrap } = await import(`${LIVE}/phase.js`);
const PERIOD = 1000 / 60;
const near = (actual, expected, within = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

/** Repeatable noise, uniform in -1..1. */
function noise(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 2147483648 - 1;
  };
}

test("wrap brings a value within half a period", () => {
  near(wrap(17, PERIOD), 17 - PERIOD);
  near(wrap(-10, PERIOD), PERIOD - 10);
  near(wrap(3, PERIOD), 3);
});

test("the shortest arc goes over the frame where the waits do, and leaves out one in twenty", () => {
  const { start, length } = shortestArc([...new Array(20).fill(PERIOD - 1), ...new Array(20).fill(0)], PERIOD);
  near(start, PERIOD - 1);
  near(length, 1);
  const waits = [...Array.from({ length: 99 }, (_, at) => 5 + at / 100), 14, 15];
  near(shortestArc(waits, PERIOD).start, 5, 0.05);
  assert.ok(shortestArc(waits, PERIOD).length < 1);
});

test("waits spread over the whole period have no phase, and ask for nothing", () => {
  const waits = Array.from({ length: 60 }, (_, at) => (at * PERIOD) / 60);
  assert.equal(wantedShift(waits, PERIOD), 0);
  assert.equal(wantedShift([], PERIOD), 0);
});

test("long waits ask to arrive later, short ones earlier", () => {
  near(wantedShift(new Array(20).fill(10), PERIOD), 10 - LEAD_MS);
  near(wantedShift(new Array(20).fill(1), PERIOD), 1 - LEAD_MS);
});

test("the lead is kept by nearly all waits, not by their mean", () => {
  const waits = Array.from({ length: 100 }, (_, at) => 8 + (at % 10) * 0.2);
  near(wantedShift(waits, PERIOD), 8 - LEAD_MS, 0.25);
});

test("with the server's law the phase settles from anywhere, without hunting", () => {
  for (let start = 0; start < PERIOD; start += 1) {
    const random = noise(start + 1);
    let wait = start;
    let shifts = 0;
    for (let report = 0; report < 40; report += 1) {
      const waits = Array.from({ length: 16 }, () => wait + 1.2 * random()).map(
        (each) => ((each % PERIOD) + PERIOD) % PERIOD,
      );
      const shift = wantedShift(waits, PERIOD);
      if (Math.abs(shift) < 1) continue;
      shifts += 1;
      wait -= Math.abs(shift) > 3 ? shift : shift / 2;
    }
    assert.ok(shifts <= 6, `${shifts} shifts from ${start}`);
    const settled = ((wait % PERIOD) + PERIOD) % PERIOD;
    assert.ok(settled > LEAD_MS - 0.5 && settled < LEAD_MS + 3, `settled at ${settled} from ${start}`);
  }
});

test("the frame period allows for frames that were left out", () => {
  const times = [];
  for (let frame = 0; frame < 121; frame += 1) if (frame % 10 !== 7) times.push(frame * PERIOD);
  near(framePeriod(times), PERIOD);
  assert.equal(framePeriod([1]), undefined);
});
