// What the page has found among all instruments. There may be a hundred thousand of them, so the
// server searches and answers in parts: one question at a time, the next when its answer is here.
// Pure.

import { FOUND } from "./columns.js";
import { listedOf } from "./instruments.js";

/** Instruments in one part: see dashboard/ui/search.py. */
export const PART = 240;
const MAX_CHARACTERS = 100;
/** Searches whose answers are kept, beside those that somebody still wants. */
const KEPT = 8;

/** A text as it is asked for. */
export function questionOf(text) {
  return text.trim().slice(0, MAX_CHARACTERS);
}

export class Finder {
  /** `ask(text, first)` asks for the part that begins with the number `first`; `changed()` hears of answers. */
  constructor({ ask, changed }) {
    this.ask = ask;
    this.changed = changed;
    this.answers = new Map();
    this.wishes = new Set();
    this.waiting = [];
    this.asked = null;
  }

  /** Find the first `count` instruments that match a text; gives the function that ends the wish. */
  want(text, count = PART) {
    const wish = { text: questionOf(text), count };
    this.wishes.add(wish);
    this.next();
    return () => this.wishes.delete(wish);
  }

  /** What was found for a text so far: { text, found, listed, rows }; null before the first answer. */
  answerTo(text) {
    return this.answers.get(questionOf(text)) ?? null;
  }

  /** The instrument that matches a text best, or null, as soon as it is known. */
  async best(text) {
    const end = this.want(text);
    while (!this.answerTo(text)) await new Promise((resolve) => this.waiting.push(resolve));
    end();
    return this.answerTo(text).rows[0] ?? null;
  }

  /** Take the server's answer, a row of the batch's `i`. */
  take(row) {
    const [text, first] = [row[FOUND.text], row[FOUND.first]];
    if (text !== this.asked?.text || first !== this.asked.first) return;
    this.asked = null;
    const before = this.answers.get(text);
    this.answers.delete(text);
    const [found, listed] = [row[FOUND.found], row[FOUND.listed]];
    const continues = first > 0 && before?.found === found;
    // Of a list that has changed meanwhile the parts do not fit together: it is asked for anew.
    if (first === 0 || continues) {
      const rows = [...(continues ? before.rows : []), ...row[FOUND.rows].map(listedOf)];
      this.answers.set(text, { text, found, listed, rows });
    }
    this.forget();
    for (const resolve of this.waiting.splice(0)) resolve();
    this.changed();
    this.next();
  }

  /** Find all that is wanted anew: another stream may know other instruments. */
  begin() {
    this.answers.clear();
    this.asked = null;
    this.next();
  }

  /** Ask again what has not been answered: the question or the answer may be lost. */
  again() {
    if (this.asked) this.ask(this.asked.text, this.asked.first);
  }

  /** Ask for what is wanted and not here, the newest wish first. */
  next() {
    if (this.asked) return;
    const open = [...this.wishes].reverse().find((wish) => this.lacks(wish));
    if (!open) return;
    this.asked = { text: open.text, first: this.answers.get(open.text)?.rows.length ?? 0 };
    this.again();
  }

  lacks({ text, count }) {
    const answer = this.answers.get(text);
    return !answer || answer.rows.length < Math.min(count, answer.found);
  }

  forget() {
    const wanted = new Set([...this.wishes].map(({ text }) => text));
    const unwanted = [...this.answers.keys()].filter((text) => !wanted.has(text));
    for (const text of unwanted.slice(0, -KEPT)) this.answers.delete(text);
  }
}
