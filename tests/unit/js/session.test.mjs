// When the page loads anew because its session has ended.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE } from "./live.mjs";

const { signInIfAsked } = await import(`${LIVE}/session.js`);

/** How often the page loads anew, where the server answers so. */
async function reloads(answer) {
  let times = 0;
  const asked = [];
  const location = { pathname: "/pnl", reload: () => (times += 1) };
  const fetch = async (path, { method }) => {
    asked.push(`${method} ${path}`);
    return answer();
  };
  await signInIfAsked({ fetch, location });
  assert.deepEqual(asked, ["HEAD /pnl"]);
  return times;
}

test("a page whose session has ended loads anew, once", async () => {
  assert.equal(await reloads(() => ({ status: 401 })), 1);
});

test("a page that is let in, or cannot tell, stays", async () => {
  for (const status of [200, 404, 429, 503]) assert.equal(await reloads(() => ({ status })), 0);
  const unreachable = () => {
    throw new TypeError("Failed to fetch");
  };
  assert.equal(await reloads(unreachable), 0);
});
