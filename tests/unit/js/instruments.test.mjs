import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { addressOf, namesOf, watchedOf } = await import(`${LIVE}/instruments.js`);

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

test("the exchange stands beside a symbol that two have", () => {
  const watched = watchedOf([["RELIANCE", "NSE", 2, 0.05], ["TCS", "NSE", 2, 0.05], ["RELIANCE", "BSE", 2, 0.05]]);
  assert.deepEqual(watched.map(({ id, name }) => [id, name]), [
    ["NSE:RELIANCE", "RELIANCE NSE"],
    ["NSE:TCS", "TCS"],
    ["BSE:RELIANCE", "RELIANCE BSE"],
  ]);
  assert.equal(namesOf(watched.slice(0, 2)).get("NSE:RELIANCE"), "RELIANCE");
});
