import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { WAIT_MS, emptyTapeText, emptyText, never } = await import(`${LIVE}/waiting.js`);

const EVERYTHING = ["trades", "quotes", "book", "volume"];
const of = (kind, sends, name = "ACME") => ({ id: `X:${name}`, name, kind, sends });
const well = { unheard: false, refused: undefined, feed: "broker", state: "live" };
const [share, index, priced, unknown] = [of("equity", EVERYTHING), of("index", []), of("equity", ["volume"]), of(null, [])];

test("what an instrument is decides what it can never have", () => {
  assert.equal(never("book", index), "An index has no order book.");
  assert.equal(never("quotes", index), "An index has no bid and ask.");
  assert.equal(never("trades", index), "An index is not traded.");
  assert.equal(never("candles", index), "An index is not traded, and candles are made of trades.");
  assert.equal(never("prices", index), null);
});

test("what its feed can send decides, too; a feed that cannot tell may send anything", () => {
  assert.equal(never("book", priced), "The feed sends no order book of ACME.");
  assert.equal(never("trades", priced), "The feed sends no trades of ACME.");
  assert.equal(never("candles", priced), "The feed sends no trades of ACME: candles are made of trades.");
  for (const instrument of [share, unknown]) {
    for (const panel of ["book", "quotes", "trades", "candles", "prices"]) assert.equal(never(panel, instrument), null);
  }
});

test("a panel waits for what may come, and after a while says that it has not", () => {
  assert.equal(emptyText("book", share, well, 100), "Waiting for the first order book of ACME.");
  assert.equal(emptyText("book", share, well, WAIT_MS + 1), "No order book of ACME has come yet.");
  assert.equal(emptyText("candles", unknown, well, 9e9), "No trade of ACME has come yet: candles are made of trades.");
  assert.equal(emptyText("book", priced, well, 0), "The feed sends no order book of ACME.");
});

test("what stands between is named before what is waited for", () => {
  assert.equal(emptyText("book", index, { ...well, unheard: true }, 0), "The server does not answer.");
  assert.equal(emptyText("book", { id: "" }, well, 0), "No instrument is chosen.");
  assert.equal(emptyText("book", index, { ...well, refused: "not in your plan" }, 0), "ACME is not delivered: not in your plan");
  assert.equal(emptyText("book", share, { ...well, state: "failed" }, 0), "Nothing comes of ACME: the feed broker has failed.");
  assert.equal(emptyText("book", share, { ...well, state: "replayed" }, 0), "Waiting for the first order book of ACME.");
});

test("candles of a feed's whole bars wait for a bar, unless there can be none", () => {
  const minutes = { ...of(null, ["volume"]), barMs: 60_000 };
  const hours = { ...minutes, barMs: 3_600_000 };
  assert.equal(never("candles", minutes), null);
  assert.equal(never("trades", minutes), "The feed sends no trades of ACME.");
  assert.equal(emptyText("candles", minutes, well, 0), "Waiting for the first bar of ACME: the feed has bars of 1 min.");
  assert.equal(emptyText("candles", minutes, well, WAIT_MS + 1), "No bar of ACME has come yet: the feed has bars of 1 min.");
  const none = "The feed has bars of 1 h of ACME: they make no candles of 1 s, 1 min or 5 min.";
  assert.equal(emptyText("candles", hours, well, 0), none);
});

test("the tape waits unless nothing that is watched is traded", () => {
  assert.equal(emptyTapeText([index, share], { unheard: false }, 0), "Waiting for the first trade of a watched symbol.");
  assert.equal(emptyTapeText([index, share], { unheard: false }, WAIT_MS + 1), "No trade of a watched symbol has come yet.");
  assert.equal(emptyTapeText([index, priced], { unheard: false }, 0), "The feeds send no trades of what is watched.");
  assert.equal(emptyTapeText([], { unheard: true }, 0), "The server does not answer.");
});
