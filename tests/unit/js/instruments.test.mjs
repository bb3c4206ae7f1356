import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { addressOf, findInstruments, listedOf, namesOf, watchedOf } = await import(`${LIVE}/instruments.js`);

const ROWS = [
  ["BTC/USD", "CRYPTO", null, 0.01, null, null],
  ["AAPL_JUN", "REDIS", "AAPL_STOCK", 0.05, 100, 20],
  ["AAPL", "REDIS", "AAPL_STOCK", 0.01, 100, 20],
];
const all = ROWS.map(listedOf);
const found = (typed) => findInstruments(all, typed).map(({ symbol }) => symbol);

test("addresses keep slash and colon, and escape the rest", () => {
  assert.equal(addressOf("CRYPTO:BTC/USD"), "/instruments/CRYPTO:BTC/USD");
  assert.equal(addressOf("X:a b?#%"), "/instruments/X:a%20b%3F%23%25");
});

test("no address loses a slash of a name", () => {
  const seen = new Set();
  for (const name of ["a/b", "a//b", "a///b", "/a/b", "a/b/", "/", "a/./b", "a/../b", "a/..", "a%2Fb", "../a/b"]) {
    const address = addressOf(`X:${name}`);
    assert.equal(new URL(address, "http://host").pathname, address);
    assert.ok(!address.includes("//") && !address.endsWith("/"));
    assert.equal(decodeURIComponent(address), `/instruments/X:${name}`);
    seen.add(address);
  }
  assert.equal(seen.size, 11);
});

test("every typed word is sought in symbol, exchange and underlying", () => {
  assert.deepEqual(found("stock redis"), ["AAPL_JUN", "AAPL"]);
  assert.deepEqual(found(" btc "), ["BTC/USD"]);
  assert.deepEqual(found("nope"), []);
  assert.deepEqual(found(""), ["BTC/USD", "AAPL_JUN", "AAPL"]);
});

test("the symbol that was typed comes first", () => {
  assert.deepEqual(found("aapl"), ["AAPL", "AAPL_JUN"]);
});

test("the exchange stands beside a symbol that two have", () => {
  const watched = watchedOf([["RELIANCE", "NSE", 2, 0.05], ["TCS", "NSE", 2, 0.05], ["RELIANCE", "BSE", 2, 0.05]]);
  assert.deepEqual(watched.map(({ id, name }) => [id, name]), [
    ["NSE:RELIANCE", "RELIANCE NSE"],
    ["NSE:TCS", "TCS"],
    ["BSE:RELIANCE", "RELIANCE BSE"],
  ]);
  assert.equal(namesOf(watched.slice(0, 2)).get("NSE:RELIANCE"), "RELIANCE");
});
