// What the page makes of time and of the stream: rate, clocks, connection, frequency, strain.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { Rate } = await import(`${LIVE}/rate.js`);
const { ClockOffset } = await import(`${LIVE}/clock.js`);
const { connectionState, feedsState, feedsWords, reaches, standing } = await import(`${LIVE}/connection.js`);
const { clamped, fromSlider, parsed, toSlider } = await import(`${LIVE}/frequency.js`);
const { Strain } = await import(`${LIVE}/strain.js`);

test("the rate spans whole pushes, so slow pushes give a steady figure", () => {
  const rate = new Rate();
  assert.equal(rate.at(0), null);
  for (let at = 0; at <= 5000; at += 1000) rate.add(at, 12);
  assert.deepEqual(rate.at(5300), { messages: 12, pushes: 1 });
  assert.deepEqual(rate.at(5900), { messages: 12, pushes: 1 });
});

test("the rate follows a change within a second, and is zero after silence", () => {
  const rate = new Rate();
  for (let at = 0; at < 3000; at += 50) rate.add(at, 5);
  for (let at = 3000; at <= 4100; at += 10) rate.add(at, 5);
  assert.deepEqual(rate.at(4100), { messages: 500, pushes: 100 });
  assert.deepEqual(rate.at(7000), { messages: 0, pushes: 0 });
});

test("the exchange with the smallest round trip tells the offset", () => {
  const clock = new ClockOffset();
  clock.add(0, 530, 531, 61);
  clock.add(1000, 1502, 1503, 1005);
  clock.add(2000, 2560, 2561, 2061);
  assert.deepEqual(clock.best(), { at: 1005, rtt: 4, offset: 500 });
  assert.equal(clock.applied(), 500);
});

test("an offset within half the round trip is not applied, an old exchange is forgotten", () => {
  const clock = new ClockOffset();
  clock.add(0, 3, 3, 4);
  assert.equal(clock.applied(), 0);
  clock.add(100_000, 100_050, 100_050, 100_080);
  assert.equal(clock.best().rtt, 80);
});

test("an exchange that contradicts the best one tells that a clock was set", () => {
  const clock = new ClockOffset();
  clock.add(0, 502, 502, 4);
  clock.add(1000, 1510, 1510, 1024);
  assert.equal(clock.applied(), 500, "these two agree");
  clock.add(2000, 7_202_530, 7_202_530, 2060);
  assert.equal(clock.applied(), 7_200_500);
  clock.add(3000, 3530, 3530, 3060);
  assert.equal(clock.applied(), 500);
});

test("impossible exchanges are left out", () => {
  const clock = new ClockOffset();
  clock.add(10, 0, 100, 20);
  clock.add(NaN, 0, 0, 0);
  assert.equal(clock.best(), null);
});

const live = { sinceBatch: 20, sinceLoad: 60_000, socketDown: false, feeds: ["live"] };

test("the connection is live while batches of a living feed come", () => {
  assert.equal(connectionState(live), "live");
  assert.equal(connectionState({ ...live, feeds: ["replayed"] }), "live");
  assert.equal(connectionState({ ...live, feeds: ["failed", "live"] }), "live");
  assert.equal(connectionState({ ...live, feeds: [] }), "live");
});

test("silence and dead feeds are stale, a dead socket is reconnecting", () => {
  assert.equal(connectionState({ ...live, sinceBatch: 2600 }), "stale");
  for (const state of ["stale", "failed", "ended"]) {
    assert.equal(connectionState({ ...live, feeds: [state] }), "stale");
  }
  assert.equal(connectionState({ ...live, sinceBatch: 1500, socketDown: true }), "reconnecting");
  assert.equal(connectionState({ ...live, sinceBatch: 100, socketDown: true }), "live");
});

test("the server is out of reach before anything has come, after silence, and with its socket", () => {
  assert.equal(reaches(live), true);
  assert.equal(reaches({ ...live, sinceBatch: Infinity }), false);
  assert.equal(reaches({ ...live, sinceBatch: 2600 }), false);
  assert.equal(reaches({ ...live, socketDown: true }), false);
});

test("a page that was never answered is connecting only while it may be", () => {
  const begun = { ...live, sinceBatch: Infinity, sinceLoad: 3000, feeds: [] };
  assert.equal(connectionState(begun), "connecting");
  assert.equal(connectionState({ ...begun, socketDown: true }), "reconnecting");
  assert.equal(connectionState({ ...begun, sinceLoad: 9000 }), "reconnecting", "the socket opens, and nothing comes");
});

test("all feeds together are what each of them is, or mixed", () => {
  assert.deepEqual([["live", "live"], ["replayed", "live"], []].map(feedsState), ["live", "mixed", "waiting"]);
  assert.deepEqual([["live", "live"], ["replayed", "live"], []].map(feedsWords), ["live", "replayed, live", "waiting"]);
});

test("numbers are live only while the server is heard and a feed is live", () => {
  const heard = { connection: "live", heard: true, feeds: ["live"] };
  assert.equal(standing(heard), "live");
  assert.equal(standing({ ...heard, feeds: ["replayed"] }), "replayed");
  assert.equal(standing({ ...heard, feeds: ["failed", "live", "replayed"] }), "live");
  for (const state of ["stale", "ended", "failed"]) assert.equal(standing({ ...heard, connection: "stale", feeds: [state] }), state);
  assert.equal(standing({ ...heard, connection: "stale", heard: false }), "unheard");
  assert.equal(standing({ ...heard, connection: "reconnecting" }), "unheard");
  assert.equal(standing({ ...heard, connection: "connecting", feeds: [] }), "connecting");
});

test("the frequency is a whole number of ms within its bounds", () => {
  assert.equal(parsed("25.4"), 25);
  assert.equal(parsed(" "), null);
  assert.equal(parsed("abc"), null);
  assert.deepEqual([5, 10, 333, 5000].map(clamped), [10, 10, 333, 1000]);
});

test("the slider is logarithmic and comes back to where it was", () => {
  assert.equal(fromSlider(0), 10);
  assert.equal(fromSlider(50), 100);
  assert.equal(fromSlider(100), 1000);
  for (const ms of [10, 20, 50, 100, 250, 1000]) assert.equal(fromSlider(toSlider(ms)), ms);
});

test("lost frames stretch the rest, and ease comes back only after calm seconds", () => {
  const strain = new Strain();
  strain.add(60);
  assert.equal(strain.stretched(100), 100);
  strain.add(40);
  strain.add(40);
  strain.add(40);
  assert.equal(strain.stretched(100), 400);
  for (let second = 0; second < 5; second += 1) strain.add(60);
  assert.equal(strain.stretched(100), 200);
  strain.add(58);
  for (let second = 0; second < 5; second += 1) strain.add(60);
  assert.equal(strain.stretched(100), 100);
});
