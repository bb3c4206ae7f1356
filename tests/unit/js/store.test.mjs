import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

globalThis.document = { hidden: false };
const { Store } = await import(`${LIVE}/store.js`);

const WATCHED = [
  ["BTC/USD", "CRYPTO", 2, 0.01, "crypto", ["trades", "quotes", "book"], "simulator"],
  ["AAPL", "NASDAQ", 2, 0.01, "equity", [], "simulator"],
];
let store;
let number;

/** A description as the bridge sends it. */
const described = (over = {}) => ({
  watched: WATCHED,
  known: 2,
  chosen: "CRYPTO:BTC/USD",
  refused: {},
  paused: false,
  may_control: true,
  signed_in: false,
  frequency_ms: 50,
  interval_ms: 50,
  ...over,
});

/** Take a batch in, and have the beat after it. */
function ingest(batch, now) {
  store.ingest(batch, now);
  store.market.settle();
}

/** One batch, the next in number unless told otherwise. */
function next(over = {}) {
  number += 1;
  return { g: 1, n: number, t: 0, k: 0, v: 1, c: 1, l: [0, 0], ...over };
}

function take(over) {
  ingest(next(over), 100 + number);
}

beforeEach(() => {
  store = new Store();
  number = 0;
  take({ c: 0, d: described() });
});

test("prices go to their symbols, in order", () => {
  take({ c: 3, p: [0, 45000, 1, 175, 0, 45001] });
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, 45001);
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").prices.length, 2);
  assert.equal(store.market.series.get("NASDAQ:AAPL").last, 175);
  assert.equal(store.measurements.total, 3);
});

test("prices that a hidden page gets late stand at the times when they came", () => {
  take({ t: 100_000, p: [0, 45000, 0, 45001], x: [1, 175], u: [9, 5, 2] });
  const { times } = store.market.series.get("CRYPTO:BTC/USD");
  assert.deepEqual([times.at(0), times.at(1)], [100 + number - 9, 100 + number - 5]);
  assert.equal(store.market.series.get("NASDAQ:AAPL").at, 100 + number - 2);
});

test("all that comes of the chosen instrument holds from one beat, the prices of others at once", () => {
  take({ p: [0, 100, 1, 175], b: [0, [99, 1], [101, 1], 0], q: [[1, 99, 1, 101, 1]] });
  const moved = { p: [0, 200, 1, 176], b: [0, [199, 1], [201, 1], 0], q: [[2, 199, 1, 201, 1]], r: [[0, 200, 1, 1, 2]] };
  store.ingest(next({ ...moved, a: ["1s", [[1, 5, 5, 5, 5, 1]], 1] }), 500);
  const { market } = store;
  const last = (id) => market.series.get(id).last;
  const shown = () => [last("CRYPTO:BTC/USD"), market.book.bids[0], market.detail.quote()[1], market.trades.length, market.detail.bars.rows.length];
  assert.deepEqual([last("NASDAQ:AAPL"), ...shown()], [176, 100, 99, 99, 0, 0]);
  store.show();
  assert.deepEqual([last("NASDAQ:AAPL"), ...shown()], [176, 200, 199, 199, 1, 1]);
});

test("the newest candle ends at the price beside it, and is taken back when that is past", () => {
  const { bars } = store.market.detail;
  take({ t: 10_500, w: [[], [], [], []], p: [0, 7], a: ["1s", [[9, 5, 5, 5, 5, 1], [10, 5, 6, 5, 6, 2]], 1] });
  assert.deepEqual(bars.rows, [[9, 5, 5, 5, 5, 1], [10, 5, 7, 5, 7, 2]]);
  take({ t: 10_600, p: [0, 4] });
  assert.deepEqual(bars.last, [10, 5, 6, 4, 4, 2], "without what it was drawn to before");
  take({ t: 10_700, p: [0, 5.5], a: ["1s", [[10, 5, 6, 4.5, 4.5, 3]], 0] });
  assert.deepEqual(bars.last, [10, 5, 6, 4.5, 5.5, 3]);
  bars.takeFresh();
  take({ t: 11_100, p: [0, 9] });
  assert.deepEqual([bars.last, bars.takeFresh()], [[10, 5, 6, 4.5, 4.5, 3], [1]], "the next one is not told yet");
});

test("what waits for a beat that does not come is bounded, and none of it is lost", () => {
  for (let at = 0; at < 100; at += 1) store.ingest(next({ r: [[1, at, 1, 1, at]] }), 500 + at);
  assert.ok(store.market.waiting.length <= 64);
  store.choose("NASDAQ:AAPL");
  assert.deepEqual([store.market.waiting.length, store.market.trades.length], [0, 100]);
});

test("mids begin a series of their own, and the first last price another", () => {
  take({ x: [0, 99.5, 1, 175] });
  take({ x: [0, 100.5] });
  const series = store.market.series.get("CRYPTO:BTC/USD");
  assert.deepEqual([series.basis, series.prices.length, series.last], ["mid", 2, 100.5]);
  take({ p: [0, 100] });
  assert.deepEqual([series.basis, series.prices.length, series.last], ["last", 1, 100]);
});

test("a stream that begins anew leaves a gap, and so does a pause", () => {
  for (const gap of [() => ingest({ ...next({ d: described() }), g: 2, n: 1 }, 300), () => store.setPaused(false)]) {
    take({ p: [1, 1] });
    gap();
    store.ingest({ ...next({ p: [1, 2] }), g: store.arrivals.generation, v: store.description }, 900);
  }
  assert.equal(store.market.series.get("NASDAQ:AAPL").breaks.length, 2);
});

test("what is refused is told with the reason until it is not any more", () => {
  const refused = { "NASDAQ:AAPL": "not in your plan" };
  take({ d: described({ refused }), v: 2 });
  assert.deepEqual(store.shape.refused, refused);
  take({ d: described(), v: 3 });
  assert.deepEqual(store.shape.refused, {});
});

test("controls of what all share are on until the page is told that they are not for it", () => {
  assert.equal(new Store().shape.mayControl, true);
  take({ d: described({ may_control: false }), v: 2 });
  assert.equal(store.shape.mayControl, false);
  take({ d: described(), v: 3 });
  assert.equal(store.shape.mayControl, true);
});

test("who has signed in is told the way out", () => {
  assert.equal(store.shape.signedIn, false);
  take({ d: described({ signed_in: true }), v: 2 });
  assert.equal(store.shape.signedIn, true);
});

test("trades are kept newest first, a hundred of them", () => {
  for (let at = 0; at < 120; at += 1) take({ r: [[1, 175 + at, 1, -1, at]] });
  assert.equal(store.market.trades.length, 100);
  assert.equal(store.market.trades[0].price, 294);
  assert.equal(store.market.trades[0].instrument.symbol, "AAPL");
});

test("market data of a description that was missed is left out until it comes", () => {
  take({ v: 2, p: [0, 175] });
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, undefined);
  take({ v: 2, d: described({ watched: [WATCHED[1]], chosen: "NASDAQ:AAPL" }), p: [0, 176] });
  assert.equal(store.market.series.get("NASDAQ:AAPL").last, 176);
  assert.equal(store.market.series.has("CRYPTO:BTC/USD"), false);
  assert.equal(store.market.chosen.id, "NASDAQ:AAPL");
});

test("two instruments of one symbol stand side by side", () => {
  const watched = [["RELIANCE", "NSE", 2, 0.05], ["RELIANCE", "BSE", 1, 0.1]];
  take({ v: 2, d: described({ watched, chosen: "BSE:RELIANCE" }), p: [0, 2850, 1, 2840], b: [1, [2839, 1], [2841, 1], 0] });
  assert.deepEqual(["NSE", "BSE"].map((exchange) => store.market.series.get(`${exchange}:RELIANCE`).last), [2850, 2840]);
  assert.equal(store.market.bookOf("NSE:RELIANCE"), null);
  assert.deepEqual(store.market.bookOf("BSE:RELIANCE").bids, [2839, 1]);
  take({ v: 2, r: [[0, 2851, 1, 1, 10], [1, 2841, 1, 1, 11]] });
  assert.deepEqual(store.market.trades.map(({ instrument }) => instrument.name), ["RELIANCE BSE", "RELIANCE NSE"]);
  store.choose("NSE:RELIANCE");
  assert.deepEqual([store.market.chosen.exchange, store.market.detail.id], ["NSE", "NSE:RELIANCE"]);
  store.choose("RELIANCE");
  assert.equal(store.market.chosen.id, "NSE:RELIANCE", "a bare symbol names nothing");
});

test("missed pushes and lost events are counted, over a new stream too", () => {
  number += 2;
  take({ l: [5, 1] });
  assert.deepEqual([store.measurements.missed, store.measurements.conflated, store.measurements.lost], [2, 5, 1]);
  ingest({ g: 2, n: 1, t: 0, k: 0, v: 1, c: 0, l: [2, 0], d: described() }, 500);
  assert.deepEqual([store.measurements.missed, store.measurements.conflated, store.measurements.lost], [2, 7, 1]);
});

test("a paused page stands still, and its series with it", () => {
  store.paused = true;
  take({ c: 4, p: [0, 45000] });
  assert.equal(store.measurements.total, 0);
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, undefined);
});

test("a stream that begins anew is told what the page had asked for", () => {
  const asked = [];
  store.paused = true;
  store.choose("NASDAQ:AAPL");
  store.actions = { pause: (paused) => asked.push(paused), choose: (id) => asked.push(id) };
  ingest({ g: 2, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0], d: described() }, 500);
  assert.deepEqual(asked, [true, "NASDAQ:AAPL"]);
});

test("the server is told when nobody sees the page, by each stream", () => {
  const told = [];
  store.actions = { hide: (hidden) => told.push(hidden) };
  store.frames.paint = () => {};
  store.turn(true);
  document.hidden = true;
  store.ingest({ g: 2, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0], d: described() }, 500);
  document.hidden = false;
  store.turn(false);
  assert.deepEqual(told, [true, true, false]);
});

test("a push to a hidden page is counted and not measured", () => {
  document.hidden = true;
  take({ c: 5, h: [1, 1] });
  document.hidden = false;
  assert.equal(store.measurements.total, 5);
  assert.equal(store.measurements.hops.hubToSent.length, 0);
  take({ c: 5, h: [1, 1] });
  assert.equal(store.measurements.hops.hubToSent.length, 1);
});

test("controls are off until the server is heard, and when it is not heard any more", () => {
  assert.equal(store.shape.reachable, false);
  take();
  store.tick(1000);
  assert.equal(store.shape.reachable, true);
  store.socketDown = true;
  store.tick(2000);
  assert.equal(store.shape.reachable, false);
});

test("reset forgets measurements and keeps the prices of the moment", () => {
  take({ c: 2, p: [0, 45000], r: [[0, 45000, 1, 1, 0]], l: [3, 3] });
  store.reset();
  assert.deepEqual([store.measurements.total, store.measurements.conflated, store.measurements.lost, store.market.trades.length], [0, 0, 0, 0]);
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").prices.length, 0);
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, 45000);
  take({ l: [4, 3] });
  assert.deepEqual([store.measurements.conflated, store.measurements.lost], [1, 0]);
});

test("the shape is replaced only when something in it changed", () => {
  const { shape } = store;
  take({ d: described(), v: 1 });
  take({ d: described(), v: 2 });
  assert.equal(store.shape, shape);
  take({ d: described({ frequency_ms: 100 }), v: 3 });
  assert.notEqual(store.shape, shape);
  assert.equal(store.shape.frequencyMs, 100);
});

test("a longer sample window keeps what is there", () => {
  for (let at = 0; at < 300; at += 1) take({ p: [0, at] });
  store.market.setSampleWindow(500);
  take({ p: [0, 300] });
  assert.equal(store.market.series.get("CRYPTO:BTC/USD").prices.length, 201);
});

test("a book is partial while the server says so", () => {
  take({ b: [0, [1, 1], [2, 1], 1] });
  assert.equal(store.market.book.partial, true);
  take({ b: [0, [1, 1], [2, 1]] });
  assert.equal(store.market.book.partial, false);
});

const feed = (name, over = {}) => ({ name, state: "live", last_event_ms: 1_000, last_event_age_s: 0, silences: [], ...over });
const replay = (over = {}) =>
  feed("replay", { state: "replayed", position_s: 1, paused: false, began_ms: 500_000, duration_s: 60, speed: 1, stretches: [[0, 500_000, 1, 1]], ...over });

test("the page knows when all its feeds are replays that are paused", () => {
  take({ f: [replay({ paused: true })] });
  assert.equal(store.shape.replayPaused, true);
  take({ f: [replay({ paused: true }), feed("simulator")] });
  assert.equal(store.shape.replayPaused, false);
});

/** Let the page look at how it stands, so long after the last batch. */
function stand(after = 10) {
  store.cadence.hurry();
  store.tick(store.receivedAt + after);
  return [store.shape.connection, store.shape.stands, store.shape.since];
}

test("what is stale is so since the last event by the server's word, in an old page and a new one", () => {
  take({ f: [feed("simulator")] });
  assert.deepEqual(stand(), ["live", "live", null]);
  const stale = feed("simulator", { state: "stale", last_event_ms: 1_700_000_001_234 });
  take({ f: [stale] });
  assert.deepEqual(stand(), ["stale", "stale", 1_700_000_001_234]);
  const opened = new Store();
  opened.ingest({ g: 9, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0], d: described(), f: [stale] }, 90_000);
  opened.tick(90_010);
  assert.equal(opened.shape.since, store.shape.since);
  take({ f: [feed("simulator", { state: "failed", last_event_ms: null })] });
  assert.deepEqual(stand(), ["stale", "failed", null]);
});

test("a page that hears nothing says so, whatever the feeds were", () => {
  take({ f: [feed("simulator")] });
  const [, , since] = stand(3000);
  assert.deepEqual(stand(3000).slice(0, 2), ["stale", "unheard"]);
  assert.equal(since, Math.round(performance.timeOrigin + store.receivedAt));
  store.socketDown = true;
  assert.deepEqual(stand(13_000).slice(0, 2), ["reconnecting", "unheard"]);
});

test("a page stands as the feeds of what it watches, whatever others do", () => {
  take({ f: [feed("simulator", { state: "stale" }), feed("broker")] });
  assert.equal(stand()[1], "stale");
  const watched = [["EURUSD", "FX", 5, 0.00001, "currency", [], "replay"]];
  take({ v: 2, d: described({ watched, chosen: "FX:EURUSD" }), f: [feed("simulator"), replay()] });
  assert.equal(stand()[1], "replayed");
  take({ f: [feed("simulator"), replay({ state: "ended", last_event_ms: 2000 })] });
  assert.deepEqual(stand(), ["stale", "ended", 502_000], "when that was recorded");
});

test("a line has a gap where its feed fell silent, and begins anew where a replay jumps", () => {
  const watched = [["EURUSD", "FX", 5, 0.00001, "currency", [], "replay"], WATCHED[1]];
  take({ v: 2, d: described({ watched, chosen: "FX:EURUSD" }), f: [feed("simulator"), replay()], p: [0, 1, 1, 175] });
  const [played, live] = ["FX:EURUSD", "NASDAQ:AAPL"].map((id) => store.market.series.get(id));
  take({ v: 2, f: [feed("simulator", { silences: [20] }), replay()], p: [0, 2, 1, 176] });
  assert.deepEqual([played.breaks.length, live.breaks.length], [0, 1]);
  const jumped = replay({ stretches: [[0, 500_000, 1, 1], [70, 500_000, 1, 1]] });
  take({ v: 2, f: [feed("simulator", { silences: [20] }), jumped], p: [0, 3, 1, 177] });
  assert.deepEqual([played.prices.length, live.prices.length, live.breaks.length], [1, 3, 1]);
});

test("what holds when a feed falls silent, or its replay jumps, is not drawn on", () => {
  const bidsAt = () => bids().map((bid, at) => [store.market.detail.quotes.at(at)[0], bid]);
  take({ w: [[[10, 5, 1, 6, 1]], [], [[12, 5.5]], []], f: [feed("simulator", { silences: [20] })] });
  assert.deepEqual(bidsAt(), [[10, 5], [20.5, null]]);
  take({ q: [[60, 7, 1, 8, 1]], f: [feed("simulator", { silences: [20] })] });
  assert.deepEqual(bidsAt(), [[10, 5], [20.5, null], [60, 7]]);
  assert.deepEqual(store.market.detail.theos.at(1).slice(0, 2), [20.5, null]);
  assert.equal(store.market.detail.prices.length, 0, "no gap stands where nothing was");
  assert.equal(store.market.detail.quote()[1], 7);
  take({ w: [[[15, 5, 1, 6, 1], [60, 7, 1, 8, 1]], [], [], []] });
  assert.deepEqual(bidsAt(), [[15, 5], [20.5, null], [60, 7]], "in the last minute as the server has it, too");
  const watched = [["BTC/USD", "CRYPTO", 2, 0.01, "crypto", [], "replay"]];
  take({ v: 2, d: described({ watched }), f: [replay({ stretches: [[0, 500_000, 1, 1], [70, 500_000, 1, 1]] })], q: [[69, 7, 1, 8, 1], [70, 1, 1, 2, 1]] });
  assert.deepEqual(bidsAt().slice(-3), [[69, 7], [69.5, null], [70, 1]]);
});

test("batches that came already, here or on the page before, are not awaited again", () => {
  assert.equal(store.arrivals.awaits({ g: 1, n: number }), false);
  assert.equal(store.arrivals.awaits({ g: 1, n: number + 1 }), true);
  assert.equal(store.arrivals.awaits({}), false, "a slot that holds nothing yet");
});

test("a generation that the page has not seen is that of a new stream, whatever its number", () => {
  for (const g of [0, 9, -5, 4]) {
    assert.equal(store.arrivals.awaits({ g, n: 1 }), true);
    ingest({ g, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0], d: described(), p: [0, g] }, 500);
    assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, g);
    assert.equal(store.arrivals.awaits({ g, n: 1 }), false);
  }
  assert.equal(store.arrivals.awaits({ g: 1, n: number }), false, "left over of the stream before them");
});

test("the batches in the slots are taken in order, those of the stream that goes on first", () => {
  const batch = (g, n) => ({ g, n, t: 0, k: 0, v: 1, c: 0, l: [0, 0] });
  const slots = [batch(7, 2), batch(7, 1), {}, batch(1, number + 2), batch(1, number), batch(1, number + 1)];
  assert.deepEqual(
    store.arrivals.awaited(slots).map(({ g, n }) => [g, n]),
    [[1, number + 1], [1, number + 2], [7, 1], [7, 2]],
  );
});

test("of two new streams at once the page ends on the one that goes on", () => {
  const batch = (g, n) => ({ g, n, t: 0, k: 0, v: 1, c: 0, l: [0, 0], d: described(), p: [0, g] });
  for (const each of store.arrivals.awaited([batch(8, 1), batch(5, 1)])) ingest(each, 500);
  for (const slots of [[batch(8, 2), batch(5, 1)], [batch(8, 2), batch(8, 3)]]) {
    for (const each of store.arrivals.awaited(slots)) ingest(each, 500);
    assert.equal(store.market.series.get("CRYPTO:BTC/USD").last, 8);
  }
});

test("streams that come and go leave no more behind than the slots could hold", () => {
  for (let g = 2; g < 500; g += 1) ingest({ g, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0] }, 500);
  assert.ok(store.arrivals.taken.size <= 64);
  assert.equal(store.arrivals.awaits({ g: 499, n: 1 }), false);
});

test("a stream that begins anew, or has missed a push, is asked again what was not answered", () => {
  const asked = [];
  store.actions = { find: (...question) => asked.push(question), missed: () => {}, took: () => {} };
  store.finder.want("aapl");
  take();
  assert.equal(asked.length, 1);
  number += 1;
  take();
  assert.equal(asked.length, 2, "the answer may have been in the push that was missed");
  ingest({ g: 2, n: 1, t: 0, k: 0, v: 1, c: 0, l: [0, 0], s: 1, d: described() }, 500);
  assert.ok(asked.length > 2);
  let told = 0;
  store.subscribe(() => (told += 1));
  const answer = ["aapl", 0, 1, 11, [["AAPL", "NASDAQ", null, 0.01, 5, null]]];
  ingest({ g: 2, n: 2, t: 0, k: 0, v: 1, c: 0, l: [0, 0], i: answer }, 600);
  assert.equal(told, 1);
  const { found, listed, rows } = store.finder.answerTo(" aapl ");
  assert.deepEqual([found, listed, rows[0].id, rows[0].absoluteLimit], [1, 11, "NASDAQ:AAPL", 5]);
  assert.deepEqual(new Set(asked.map(String)), new Set(["aapl,0"]));
});

const bids = () => Array.from({ length: store.market.detail.quotes.length }, (_, at) => store.market.detail.quotes.at(at)[1]);

test("the last minute replaces what is here, and new quotes follow it", () => {
  take({ w: [[[10, 5, 1, 6, 1]], [[0, 5, 2, 1, 11], [0, 6, 2, -1, 12]], [], []] });
  take({ q: [[20, 5.5, 1, 6, 1]], r: [[0, 7, 1, 1, 21, "Ann", "Bob"], [1, 175, 1, 1, 22]] });
  assert.deepEqual(bids(), [5, 5.5]);
  assert.deepEqual(store.market.trades.map(({ price }) => price), [175, 7, 6, 5]);
  assert.deepEqual([store.market.trades[1].buyer, store.market.trades[1].seller], ["Ann", "Bob"]);
  assert.equal(store.market.detail.trades.length, 3, "trades of another symbol are not drawn");
  take({ w: [[[10, 5, 1, 6, 1]], [], [], []] });
  assert.deepEqual([bids(), store.market.trades], [[5], []]);
});

test("theoretical prices keep their times, and the last minute replaces them", () => {
  const theos = () => Array.from({ length: store.market.detail.theos.length }, (_, at) => store.market.detail.theos.at(at));
  take({ o: [[10, 5.5], [20, 5.7]] });
  assert.deepEqual([theos(), store.market.detail.theo], [[[10, 5.5], [20, 5.7]], 5.7]);
  take({ w: [[], [], [[20, 5.7], [30, 6]], []] });
  assert.deepEqual([theos(), store.market.detail.theo], [[[20, 5.7], [30, 6]], 6]);
  take({ w: [[], [], [], []] });
  assert.deepEqual([theos(), store.market.detail.theo], [[], null]);
});

test("where no quotes come the steps are those of last prices, with their own times", () => {
  take({ w: [[], [], [], [[10, 5]]] });
  take({ p: [0, 6], z: [[20, 5.5], [30, 6]] });
  const { steps } = store.market.detail;
  assert.deepEqual([0, 1, 2].map((at) => steps.rows.at(at)), [[10, 5], [20, 5.5], [30, 6]]);
  assert.deepEqual(steps.columns, [1]);
  take({ q: [[30, 5, 1, 6, 1]] });
  assert.deepEqual(store.market.detail.steps.columns, [1, 3]);
});

test("a quote from ahead of time stands in its place, and the one that came last is shown", () => {
  take({ t: 1000, q: [[1000, 5, 1, 6, 1], [5000, 9, 1, 10, 1]] });
  take({ t: 1100, q: [[1100, 5.5, 1, 6, 1]] });
  assert.deepEqual(bids(), [5, 5.5, 9]);
  assert.equal(store.market.detail.quote()[1], 5.5);
});

test("the last minute of a clock that was set back replaces what was ahead of it", () => {
  take({ t: 7_200_000, w: [[[7_200_000, 5, 1, 6, 1]], [], [], [[7_200_000, 5]]] });
  take({ t: 100, w: [[[50, 5, 1, 6, 1]], [[0, 5, 1, 1, 60]], [], [[100, 6]]] });
  assert.deepEqual(bids(), [5]);
  assert.deepEqual([store.market.detail.prices.length, store.market.detail.prices.at(0)], [1, [100, 6]]);
  assert.equal(store.market.detail.trades.at(0)[0], 60);
});

test("messages are quotes, books and trades, or prices where there is nothing else", () => {
  take({ m: [0, 0, 0, 4] });
  assert.equal(store.market.detail.messages, 4);
  take({ m: [3, 2, 1, 1] });
  assert.equal(store.market.detail.messages, 6);
  store.reset();
  assert.equal(store.market.detail.messages, 0);
});

test("another instrument begins with nothing of the one before", () => {
  take({ q: [[20, 5.5, 1, 6, 1]], o: [[20, 5.7]], b: [0, [5, 1], [6, 1]], a: ["1s", [[1, 5, 5, 5, 5, 1]], 1] });
  assert.equal(store.market.detail.theo, 5.7);
  take({ v: 2, d: described({ watched: [["BTC/USD", "OTHER", 2, 0.5]], chosen: "OTHER:BTC/USD" }) });
  const { id, quotes, theo, bars, tickSize } = store.market.detail;
  assert.deepEqual([id, quotes.length, theo, bars.rows.length, tickSize], ["OTHER:BTC/USD", 0, null, 0, 0.5]);
  assert.equal(store.market.book, null);
});

test("bars of an interval that is not shown are asked for anew", () => {
  const asked = [];
  store.actions = { bars: (interval) => asked.push(interval) };
  store.market.detail.bars.choose("1m");
  take({ a: ["1s", [[1, 5, 5, 5, 5, 1]], 1] });
  assert.deepEqual(asked, ["1m"]);
  assert.equal(store.market.detail.bars.rows.length, 0);
});

test("whole bars of a feed are asked for at an interval that it has, and their volumes are the sizes", () => {
  const asked = [];
  const watched = [["ACME", "CSV", 2, 0.01, null, ["volume"], "replay", 60_000]];
  store.actions = { bars: (interval) => asked.push(interval) };
  take({ v: 2, d: described({ watched, chosen: "CSV:ACME" }), a: ["1s", [], 1] });
  assert.deepEqual(asked, ["1m"]);
  take({ v: 2, a: ["1m", [[60, 5, 6, 4, 5, 0.125]], 1] });
  assert.equal(store.market.detail.bars.last[4], 5);
  assert.equal(store.market.sizesOf("CSV:ACME").text(1.5), "1.500");
});

test("a candle of before a replay's jump does not end at the price of after it", () => {
  const watched = [["ACME", "CSV", 2, 0.01, null, ["volume"], "replay", 1000]];
  const close = () => store.market.detail.bars.last[4];
  const bars = (last) => ["1s", [[60, 5, 9, 4, last, 1]], 0];
  take({ v: 2, d: described({ watched, chosen: "CSV:ACME" }), f: [replay()], w: [[], [], [], []], a: bars(5) });
  take({ v: 2, t: 60_100, p: [0, 6] });
  assert.equal(close(), 6);
  const jumped = replay({ stretches: [[0, 500_000, 1, 1], [60_200, 500_000, 1, 1]] });
  take({ v: 2, t: 60_300, f: [jumped], p: [0, 8] });
  assert.equal(close(), 5);
  take({ v: 2, t: 60_400, f: [jumped], p: [0, 8.5], a: bars(8) });
  assert.equal(close(), 8.5, "what is told from then on goes on");
});

test("charts run on with the clock, and stand still when nothing is heard or the page is paused", () => {
  take({});
  const heard = store.heardAt;
  const from = store.chartTime(heard);
  assert.equal(store.chartTime(heard + 400) - from, 400);
  assert.equal(store.chartTime(heard + 60_000) - from, 1000);
  store.paused = true;
  take({});
  assert.equal(store.heardAt, heard);
});

test("a source whose clock is far off has its own time on the charts", () => {
  take({ t: 100_000, q: [[40_000, 5, 1, 6, 1]] });
  assert.equal(store.market.detail.edge(100_000), 40_000);
  take({ t: 100_100, q: [[100_050, 5, 1, 6, 1]] });
  assert.equal(store.market.detail.edge(100_100), 100_100);
});

test("a page that is not about one instrument keeps no rows of the chosen one", () => {
  take({ p: [0, 45000], r: [[0, 45000, 1, 1, 1000]] });
  assert.equal(store.market.detail.prices.length + store.market.detail.trades.length, 0);
  take({ w: [[], [], [], [[2000, 45001]]], r: [[0, 45001, 1, 1, 2000]] });
  assert.equal(store.market.detail.prices.length, 1);
  assert.equal(store.market.detail.trades.length, 1);
  take({ g: 2, d: described(), p: [0, 45002] });
  assert.equal(store.market.detail.prices.length, 1, "the stream of another page began");
});

test("an opening is answered each time it comes, for an answer may be lost too", () => {
  const answers = [];
  store.actions = { took: (generation) => answers.push(generation), missed: () => answers.push("missed") };
  const opening = { g: 2, t: 0, k: 0, v: 1, c: 0, l: [0, 0], s: 1, d: described() };
  ingest({ ...opening, n: 4 }, 500);
  store.paused = true;
  ingest({ ...opening, n: 5 }, 800);
  ingest({ ...opening, n: 6, s: undefined }, 900);
  assert.deepEqual(answers, [2, 2]);
});

test("openings that never reached the page are counted as missed", () => {
  ingest({ g: 2, n: 4, t: 0, k: 0, v: 1, c: 0, l: [0, 0], s: 1, d: described() }, 500);
  assert.equal(store.measurements.missed, 3);
});

test("a page that misses pushes says so, each time", () => {
  const answers = [];
  store.actions = { missed: (...words) => answers.push(words) };
  take();
  number += 3;
  take();
  take();
  number += 1;
  take();
  assert.deepEqual(answers, [[1], [1]]);
  assert.equal(store.measurements.missed, 4);
});

test("a reset can be undone, with what came since", () => {
  take({ c: 5, p: [0, 45000, 0, 45001], r: [[0, 45000, 1, 1, 1000]] });
  const before = store.market.series.get("CRYPTO:BTC/USD").prices.length;
  store.measurements.addLatency(5, [100, 3], 105);
  store.reset();
  assert.equal(store.measurements.total, 0);
  assert.equal(store.market.trades.length, 0);
  assert.equal(store.shape.undoable, 1);
  take({ c: 2, p: [0, 45002], r: [[0, 45002, 2, -1, 2000]] });
  store.measurements.addLatency(7, [200, 1], 207);
  store.undoReset();
  const { prices } = store.market.series.get("CRYPTO:BTC/USD");
  assert.equal(prices.length, before + 1);
  assert.equal(prices.last(), 45002);
  assert.equal(store.measurements.total, 7);
  assert.deepEqual([0, 1].map((at) => store.measurements.latency.at(at)), [5, 7]);
  assert.deepEqual(store.market.trades.map(({ size }) => size), [2, 1]);
  assert.equal(store.shape.undoable, 0);
});

test("two resets are undone at once, and none once nobody can ask for it", () => {
  take({ c: 3 });
  store.reset();
  take({ c: 4 });
  store.reset();
  assert.equal(store.shape.undoable, 2, "so that the page counts its seconds anew");
  store.undoReset();
  assert.equal(store.measurements.total, 7);
  store.reset();
  store.settleReset();
  assert.equal(store.shape.undoable, 0);
  store.undoReset();
  assert.equal(store.measurements.total, 0);
});
