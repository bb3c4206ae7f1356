import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { SPEEDS, isReplay, placeText, positionNow, seekStep, speedText } = await import(`${LIVE}/playback.js`);

const replay = (over = {}) => ({
  name: "replay",
  state: "replayed",
  position_s: 10,
  duration_s: 60,
  speed: 2,
  paused: false,
  ...over,
});

test("a feed with a position is a replay", () => {
  assert.equal(isReplay(replay()), true);
  assert.equal(isReplay({ name: "simulator", state: "live" }), false);
});

test("between two reports the position moves on at the replay's speed", () => {
  assert.equal(positionNow(replay(), 0.5), 11);
  assert.equal(positionNow(replay(), -1), 10);
  assert.equal(positionNow(replay(), 1000), 60);
});

test("the position stands while the replay is paused, over, or of no speed", () => {
  assert.equal(positionNow(replay({ paused: true }), 5), 10);
  assert.equal(positionNow(replay({ state: "ended" }), 5), 10);
  assert.equal(positionNow(replay({ speed: 0 }), 5), 10);
});

test("places are minutes and seconds, with hours where there are some", () => {
  assert.deepEqual([0, 7.9, 90, 3723].map(placeText), ["0:00", "0:07", "1:30", "1:02:03"]);
  assert.equal(placeText(undefined), "\u2014");
});

test("the slider's step grows with the recording", () => {
  assert.deepEqual([20, 100, 280, 1200, 36000].map(seekStep), [0.1, 0.5, 1, 5, 60]);
});

test("speeds are factors, and zero is as fast as it goes", () => {
  assert.deepEqual(SPEEDS.map(speedText).slice(-2), ["Speed 10×", "As fast as it goes"]);
});
