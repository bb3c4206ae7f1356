// What is measured of the page's frames.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

globalThis.document = { hidden: false };
const { Frames } = await import(`${LIVE}/frames.js`);

let frames;
let taken;

beforeEach(() => {
  taken = [];
  const measurements = { addLatency: (newest, arrivals) => taken.push([newest, ...arrivals]) };
  frames = new Frames({ measurements, clock: { clear: () => {} }, turn: () => {} });
  frames.channel = { port2: { postMessage: () => {} } };
});

test("a push is painted when its frame has ended, not when it has been drawn", () => {
  frames.arrived(100, { k: 0, c: 3 });
  frames.arrived(104, { k: 0, c: 1 });
  frames.measureWait(107);
  frames.arrived(109, { k: 0, c: 1 });
  frames.ended(112);
  assert.deepEqual(taken, [[8, 100, 3, 104, 1]]);
  assert.deepEqual(frames.waits, [3]);
  frames.measureWait(124);
  frames.ended(128);
  assert.deepEqual(taken[1], [19, 109, 1]);
});

test("a frame whose end is not heard of before the next begins has ended then", () => {
  frames.arrived(100, { k: 0, c: 1 });
  frames.measureWait(107);
  frames.arrived(110, { k: 0, c: 1 });
  frames.measureWait(124);
  assert.deepEqual(taken, [[24, 100, 1]]);
});

test("a page that pushes reach without a frame is hidden until it is painted again", () => {
  const turned = [];
  frames.store.turn = (hidden) => turned.push(hidden);
  frames.handle = 1;
  frames.notePainted(1000);
  for (let now = 1010; now <= 1610; now += 50) frames.arrived(now, { k: 0, c: 1 });
  assert.deepEqual(turned, [true]);
  frames.notePainted(2000);
  frames.arrived(2600, { k: 0, c: 1 });
  assert.deepEqual(frames.arrivals, []);
  frames.notePainted(3000);
  frames.notePainted(3016);
  assert.deepEqual(turned, [true, false]);
});

test("pushes that come together after a busy moment do not hide the page", () => {
  frames.store.turn = () => assert.fail();
  frames.handle = 1;
  frames.notePainted(1000);
  for (let now = 2000; now <= 2010; now += 1) frames.arrived(now, { k: 0, c: 1 });
  assert.equal(frames.arrivals.length, 22);
});

test("what comes while nobody sees the page is in no figure of its frames", () => {
  frames.arrived(100, { k: 0, c: 1 });
  document.hidden = true;
  frames.turned();
  frames.arrived(1100, { k: 0, c: 60 });
  frames.arrived(2100, { k: 0, c: 60 });
  document.hidden = false;
  frames.turned();
  frames.measureWait(2500);
  frames.ended(2510);
  assert.deepEqual(taken, []);
  assert.deepEqual([frames.waits, frames.times], [[], []]);
});
