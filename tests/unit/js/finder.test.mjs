// What the page asks the server of the instruments, and what it keeps of the answers.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Finder, PART } = await import(`${LIVE}/finder.js`);

let asked;
let finder;

beforeEach(() => {
  asked = [];
  finder = new Finder({ ask: (...question) => asked.push(question), changed: () => {} });
});

/** Answer the last question as a server that has `found` instruments for it. */
function answer(found, listed = 1000) {
  const [text, first] = asked.at(-1);
  const count = Math.max(0, Math.min(PART, found - first));
  const rows = Array.from({ length: count }, (_, at) => [`S${first + at}`, "X", null, 0.01, null, null]);
  finder.take([text, first, found, listed, rows]);
}

test("a part at a time is asked for, as many as are wanted", () => {
  finder.want("s");
  answer(PART + 5);
  assert.deepEqual(asked, [["s", 0]]);
  const end = finder.want("s", 2 * PART);
  answer(PART + 5);
  end();
  finder.want("s", 9 * PART);
  assert.deepEqual(asked, [["s", 0], ["s", PART]], "there are no more");
  const { found, listed, rows } = finder.answerTo("s");
  assert.deepEqual([found, listed, rows.length, rows.at(-1).id], [PART + 5, 1000, PART + 5, `X:S${PART + 4}`]);
});

test("what was typed meanwhile is asked for next, and what nobody wants any more is not", () => {
  const ends = ["a", "aa", "aap"].map((text) => finder.want(text));
  ends[1]();
  assert.deepEqual(asked, [["a", 0]]);
  answer(3);
  assert.deepEqual(asked, [["a", 0], ["aap", 0]]);
});

test("an answer to another question, or to one that was asked twice, changes nothing", () => {
  finder.want("a");
  finder.again();
  answer(3);
  const { rows } = finder.answerTo("a");
  finder.take(["a", 0, 1, 5, []]);
  finder.take(["b", 0, 1, 5, []]);
  assert.deepEqual([finder.answerTo("a").rows, finder.answerTo("b")], [rows, null]);
});

test("parts of a list that has changed meanwhile are not put together", () => {
  finder.want("s", 2 * PART);
  answer(2 * PART);
  answer(2 * PART + 1);
  assert.deepEqual(asked, [["s", 0], ["s", PART], ["s", 0]]);
  answer(2 * PART + 1);
  answer(2 * PART + 1);
  assert.equal(new Set(finder.answerTo("s").rows.map(({ id }) => id)).size, 2 * PART);
});

test("another stream is asked anew for what is wanted", () => {
  finder.want("a");
  answer(3);
  finder.begin();
  assert.deepEqual([asked.length, finder.answerTo("a")], [2, null]);
});

test("the best match is told as soon as it is known", async () => {
  const best = finder.best("s1");
  answer(2);
  assert.equal((await best).id, "X:S0");
  assert.equal((await finder.best(" s1 ")).id, "X:S0", "known already");
  assert.equal(asked.length, 1);
  const none = finder.best("nothing");
  answer(0);
  assert.equal(await none, null);
});

test("a long text is asked for as the server would cut it", () => {
  const text = "x".repeat(150);
  finder.want(text);
  answer(1);
  assert.equal(asked[0][0].length, 100);
  assert.equal(finder.answerTo(text).found, 1);
});

test("answers that nobody wants are forgotten but for a few", () => {
  finder.want("kept");
  answer(1);
  for (let at = 0; at < 50; at += 1) {
    const end = finder.want(`text ${at}`);
    end();
    answer(1);
  }
  assert.ok(finder.answers.size <= 9);
  assert.ok(finder.answerTo("kept"));
  assert.ok(finder.answerTo("text 49"));
});
