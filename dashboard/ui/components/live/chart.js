// What the charts of one instrument share: a canvas with a plot, axes and a pointer.

import { useEffect, useRef } from "react";
import { Surface } from "./canvas.js";
import { movedBy } from "./chartkeys.js";
import { colorsVersion } from "./colors.js";
import { usePainter } from "./hooks.js";

const BELOW = 20;
const BESIDE = 10;

/**
 * Let `draw(surface, now)` run in a frame in which `due(now)` says so, and at once after a change of
 * size or colours.
 */
export function useChart(canvas, { due, draw }, dependencies) {
  usePainter(() => {
    const surface = new Surface(canvas.current);
    let colors = -1;
    const paint = (now) => {
      if (!surface.width || !surface.height) return;
      if (colors === colorsVersion() && !surface.dirty && !due(now)) return;
      colors = colorsVersion();
      surface.clear();
      draw(surface, now);
    };
    paint.end = () => surface.end();
    return paint;
  }, dependencies);
}

/**
 * Where the pointer is over an element, { x, y } or null, with a number that rises as it moves. Arrow
 * keys move it too while the element has the focus.
 */
export function usePointer(element) {
  const pointer = useRef({ at: null, moves: 0 });
  useEffect(() => {
    const target = element.current;
    const set = (at) => {
      pointer.current.at = at;
      pointer.current.moves += 1;
    };
    const moved = ({ offsetX, offsetY }) => set({ x: offsetX, y: offsetY });
    const left = () => set(null);
    const pressed = (event) => {
      if (event.key === "Escape") return left();
      const at = movedBy(event, pointer.current.at, { width: target.clientWidth, height: target.clientHeight });
      if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      set(at);
    };
    const listeners = { pointermove: moved, pointerleave: left, keydown: pressed, blur: left };
    for (const [name, listener] of Object.entries(listeners)) target.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) target.removeEventListener(name, listener);
    };
  }, []);
  return pointer.current;
}

/** The part of a surface that the axes leave, for labels of this text's length at the right. */
export function plotOf({ context, width, height }, font, widest) {
  context.font = font;
  const beside = context.measureText(widest).width + BESIDE;
  return { left: 0, top: 6, right: Math.max(1, width - beside), bottom: Math.max(1, height - BELOW) };
}

/** A dotted line from top to bottom where the pointer is. */
export function drawCrosshair({ context }, plot, { x, color }) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, plot.top);
  context.lineTo(Math.round(x) + 0.5, plot.bottom);
  context.stroke();
  context.setLineDash([]);
}

/** A price's label on the axis, on a ground of its own colour. */
export function drawTag({ context, width }, plot, { y, text, color, ink }) {
  context.fillStyle = color;
  context.fillRect(plot.right + 1, y - 8, width - plot.right - 1, 16);
  context.fillStyle = ink;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text, plot.right + 6, y + 0.5);
}
