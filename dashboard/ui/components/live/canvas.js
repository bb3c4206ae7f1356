// A canvas that is as sharp as the display, and lines on it.

const surfaces = new Set();
let ratio = 0;

/**
 * Fit all canvases anew when the display's pixels have changed in size, on another screen or by
 * zoom: a canvas need not change its size in CSS pixels then. Asked once a frame, as not every
 * change comes with an event.
 */
export function keepSharp() {
  if (globalThis.devicePixelRatio === ratio) return;
  ratio = globalThis.devicePixelRatio;
  for (const surface of surfaces) surface.fit(surface);
}

/** A canvas' context in CSS pixels; `dirty` after a change of size or sharpness, until the owner draws. */
export class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.width = 0;
    this.height = 0;
    this.dirty = true;
    this.observer = new ResizeObserver((entries) => this.fit(entries[entries.length - 1].contentRect));
    this.observer.observe(canvas);
    surfaces.add(this);
  }

  fit({ width, height }) {
    const ratio = window.devicePixelRatio || 1;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.dirty = true;
  }

  clear() {
    this.context.clearRect(0, 0, this.width, this.height);
    this.dirty = false;
  }

  end() {
    this.observer.disconnect();
    surfaces.delete(this);
  }
}

/** Smallest and largest value of a ring, or null while it is empty. */
export function extent(ring) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < ring.length; i += 1) {
    const value = ring.at(i);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return ring.length ? { low, high } : null;
}

/**
 * Draw a ring's values as a line over the whole surface, oldest left, with a
 * tinted area below, under the height `from` and inside of `left` and `right`. `slots` is how
 * many values the full width stands for. Of
 * several values in one pixel column the lowest and highest are drawn.
 */
export function drawLine(surface, ring, { low, high, color, slots = ring.length, from = 0, left: inset = 0, right: rest = inset }) {
  const { context, width, height } = surface;
  const n = ring.length;
  if (n < 2 || !width) return;
  const margin = 2;
  const scale = (height - from - 2 * margin) / (high - low || 1);
  const y = (value) => (high > low ? height - margin - (value - low) * scale : (from + height) / 2);
  const right = width - rest;
  const step = (right - inset) / Math.max(1, slots - 1);
  const left = right - step * (n - 1);
  context.beginPath();
  if (step >= 1) {
    for (let i = 0; i < n; i += 1) context.lineTo(left + i * step, y(ring.at(i)));
  } else {
    columns(context, ring, left, step, y);
  }
  context.lineJoin = "round";
  context.lineWidth = 1.25;
  context.strokeStyle = color;
  context.stroke();
  context.lineTo(right, height);
  context.lineTo(left, height);
  context.closePath();
  context.globalAlpha = 0.1;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
}

function columns(context, ring, left, step, y) {
  let column = -1;
  let low = 0;
  let high = 0;
  for (let i = 0; i < ring.length; i += 1) {
    const value = ring.at(i);
    const x = Math.floor(left + i * step);
    if (x !== column) {
      if (column >= 0 && low !== high) {
        context.lineTo(column, y(low));
        context.lineTo(column, y(high));
      }
      column = x;
      low = value;
      high = value;
      context.lineTo(x, y(value));
    } else if (value < low) low = value;
    else if (value > high) high = value;
  }
  context.lineTo(left + (ring.length - 1) * step, y(ring.last()));
}
