// Canvases on displays of several sharpnesses.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LIVE } from "./live.mjs";

const { Surface, keepSharp } = await import(`${LIVE}/canvas.js`);

let observers;

beforeEach(() => {
  globalThis.window = globalThis;
  show(1);
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

/** A frame on a display of this pixel ratio. */
function show(ratio) {
  globalThis.devicePixelRatio = ratio;
  keepSharp();
}

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
    show(ratio);
    assert.deepEqual(pixels(surface), [100 * ratio, Math.round(50 * ratio), ratio]);
    assert.equal(surface.dirty, true, "it is drawn anew");
    surface.dirty = false;
    show(ratio);
    assert.equal(surface.dirty, false, "once");
  }
  surface.end();
});

test("all canvases are fitted, but none that has ended", () => {
  const [ended, ...others] = [made(), made(), made()];
  ended.end();
  show(3);
  assert.deepEqual(others.map((surface) => surface.canvas.width), [300, 300]);
  assert.equal(ended.canvas.width, 100);
  for (const surface of others) surface.end();
});
