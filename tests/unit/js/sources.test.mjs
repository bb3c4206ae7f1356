// What the page makes of its feeds: how they stand, and when what they bring was recorded.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Recording } = await import(`${LIVE}/recording.js`);
const { Sources, allReplayed, lastEvent } = await import(`${LIVE}/sources.js`);

const BEGAN = 1_600_000_000_000;
const replay = (stretches, over = {}) => ({
  name: "replay",
  state: "replayed",
  last_event_ms: 5000,
  silences: [],
  began_ms: BEGAN,
  position_s: 10,
  duration_s: 60,
  speed: 2,
  paused: false,
  stretches,
  ...over,
});
const live = (over = {}) => ({ name: "simulator", state: "live", last_event_ms: 9000, silences: [], ...over });
const recorded = (recording, ...times) => times.map((ms) => recording.at(ms) - BEGAN);

test("a played time is that of the recording by the stretch that it lies in", () => {
  const recording = new Recording();
  recording.take(replay([[1000, BEGAN, 1, 1], [3000, BEGAN + 2000, 0, 0], [9000, BEGAN + 2000, 0.5, 0], [11_000, BEGAN + 40_000, 4, 1]]));
  assert.deepEqual(recorded(recording, 1000, 2500, 3000, 8999, 9000, 10_000), [0, 1500, 2000, 2000, 2000, 2500]);
  assert.deepEqual(recorded(recording, 11_000, 12_000), [40_000, 44_000]);
  assert.deepEqual(recorded(recording, 99_000), [60_000], "not beyond its end");
  assert.deepEqual(recording.seams, [1000, 11_000]);
});

test("nobody knows when that was recorded which is played as fast as it goes, or was before all that is told", () => {
  const recording = new Recording();
  recording.take(replay([[1000, BEGAN, null, 1], [2000, BEGAN, 1, 1]]));
  assert.deepEqual(recorded(recording, 500, 1500, 2000), [NaN, NaN, 0]);
});

test("stretches that the server tells no more of are kept, for what is on the page, up to a bound", () => {
  const recording = new Recording();
  for (let at = 0; at < 500; at += 1) {
    const stretches = [[at * 10, BEGAN, 1, 1], [at * 10 + 5, BEGAN + 7, 1, 0]];
    assert.equal(recording.take(replay(stretches)), true);
    assert.equal(recording.take(replay(stretches)), false, "nothing new");
  }
  assert.equal(recording.stretches.length, 128);
  assert.deepEqual(recorded(recording, 4985, 4990), [7, 0]);
});

test("each instrument has the times and the state of its own feed", () => {
  const sources = new Sources();
  sources.take([live(), replay([[1000, BEGAN, 1, 1]])], 100);
  const [now, past] = [{ feed: "simulator" }, { feed: "replay" }];
  assert.deepEqual([sources.timeOf(now, 1500), sources.timeOf(past, 1500)], [1500, BEGAN + 500]);
  assert.deepEqual([sources.isReplayed(now), sources.isReplayed(past)], [false, true]);
  assert.deepEqual([sources.of(now).state, sources.of(past).state, sources.of({ feed: "" })], ["live", "replayed", undefined]);
  assert.deepEqual(sources.breaksOf("replay"), { silences: [], seams: [1000] });
});

test("a page is about the feeds of what it watches, or about all where it watches nothing", () => {
  const sources = new Sources();
  const [simulator, other] = [live({ silences: [4] }), replay([[1000, BEGAN, 1, 1]])];
  sources.take([simulator, other], 100);
  assert.deepEqual(sources.about([{ feed: "replay" }, { feed: "replay" }]), [other]);
  assert.deepEqual(sources.about([]), [simulator, other]);
  assert.equal(allReplayed(sources.about([{ feed: "replay" }])), true);
  assert.equal(allReplayed(sources.about([])), false);
  assert.deepEqual(sources.breaksOf("simulator"), { silences: [4], seams: [] });
});

test("the place of a replay moves on between two reports", () => {
  const sources = new Sources();
  const feed = replay([[1000, BEGAN, 2, 1]]);
  sources.take([feed], 100);
  assert.equal(sources.placeOf(feed, 600) - BEGAN, 11_000);
});

test("the newest event is that of the feed that was heard last", () => {
  const [first, second] = [live(), replay([], { last_event_ms: 9500 })];
  assert.deepEqual(lastEvent([first, second]), { feed: second, ms: 9500 });
  assert.deepEqual(lastEvent([second, first]), { feed: second, ms: 9500 });
  assert.equal(lastEvent([live({ last_event_ms: null })]), null);
});

test("a change of how a replay was played is told, for what is written by it", () => {
  const sources = new Sources();
  sources.take([replay([[1000, BEGAN, 1, 1]])], 1);
  const before = sources.version;
  sources.take([replay([[1000, BEGAN, 1, 1]])], 2);
  assert.equal(sources.version, before);
  sources.take([replay([[1000, BEGAN, 1, 1], [2000, BEGAN, 1, 1]])], 3);
  assert.notEqual(sources.version, before);
});
