// Canvases on displays of several sharpnesses.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Surface } = await import(`${LIVE}/canvas.js`);

/** A window whose pixel ratio changes as on another screen or by zoom; its queries tell of it. */
class Screen {
  constructor(ratio) {
    this.devicePixelRatio = ratio;
    this.queries = new Set();
  }

  matchMedia(text) {
    const query = new EventTarget();
    const listeners = new Set();
    query.listeners = listeners;
    query.text = text;
    query.addEventListener = (_, run) => listeners.add(run);
    query.removeEventListener = (_, run) => listeners.delete(run);
    this.queries.add(query);
    return query;
  }

  get heard() {
    return [...this.queries].filter(({ listeners }) => listeners.size).map(({ text }) => text);
  }

  change(ratio) {
    const before = `(resolution: ${this.devicePixelRatio}dppx)`;
    this.devicePixelRatio = ratio;
    for (const { text, listeners } of [...this.queries]) if (text === before) for (const run of [...listeners]) run();
  }
}

let observers;

beforeEach(() => {
  globalThis.window = new Screen(1);
  observers = [];
  globalThis.ResizeObserver = class {
    constructor(seen) {
      this.seen = seen;
      observers.push(this);
    }

    observe() {}

    disconnect() {}

    show(width, height) {
      this.seen([{ contentRect: { width, height } }]);
    }
  };
});

function made() {
  const canvas = { getContext: () => ({ setTransform: (ratio) => (canvas.scale = ratio) }) };
  const surface = new Surface(canvas);
  observers.at(-1).show(100, 50);
  surface.dirty = false;
  return surface;
}

const pixels = ({ canvas }) => [canvas.width, canvas.height, canvas.scale];

test("a canvas gets as many pixels as the display has, after each change of their size", () => {
  const surface = made();
  assert.deepEqual(pixels(surface), [100, 50, 1]);
  for (const ratio of [2, 1.25, 1]) {
    window.change(ratio);
    assert.deepEqual(pixels(surface), [100 * ratio, Math.round(50 * ratio), ratio]);
    assert.equal(surface.dirty, true, "it is drawn anew");
    surface.dirty = false;
  }
  surface.end();
});

test("all canvases share one query, and none is left when they have ended", () => {
  const all = [made(), made(), made()];
  assert.deepEqual(window.heard, ["(resolution: 1dppx)"]);
  window.change(3);
  assert.deepEqual(window.heard, ["(resolution: 3dppx)"]);
  assert.deepEqual(all.map((surface) => surface.canvas.width), [300, 300, 300]);
  all.pop().end();
  window.change(2);
  assert.deepEqual(all.map((surface) => surface.canvas.width), [200, 200]);
  for (const surface of all) surface.end();
  assert.deepEqual(window.heard, []);
});
