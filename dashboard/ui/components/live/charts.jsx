// The performance panel's charts: trends over a minute, and the latency's histogram.

import { useRef } from "react";
import { Surface, drawLine, extent } from "./canvas.js";
import { colorsVersion, themeColors } from "./colors.js";
import { decimal, integer } from "./format.js";
import { setText, usePainter } from "./hooks.js";
import { store } from "./store.js";

const TRENDS = {
  rate: { ring: () => store.measurements.rates, show: integer, unit: "/s" },
  fps: { ring: () => store.measurements.fps, show: (value) => decimal(value, 0), unit: "FPS" },
};
const TREND_SECONDS = 60;
export const BINS = 32;

/** Let `draw(surface)` run on each slow tick, and at once after a change of size or colours. */
function useSlowChart(canvas, draw, dependencies) {
  const painter = () => {
    const surface = canvas.current && new Surface(canvas.current);
    let slow = -1;
    let colors = -1;
    const paint = () => {
      if (slow === store.cadence.slow && colors === colorsVersion() && !surface.dirty) return;
      slow = store.cadence.slow;
      colors = colorsVersion();
      surface.clear();
      draw(surface);
    };
    paint.end = () => surface.end();
    return paint;
  };
  usePainter(painter, dependencies);
}

export function Trend({ name, label }) {
  const canvas = useRef(null);
  const range = useRef(null);

  useSlowChart(
    canvas,
    (surface) => {
      const { ring, show, unit } = TRENDS[name];
      const values = ring();
      const found = extent(values);
      const high = found ? Math.max(found.high * 1.1, 1) : 1;
      if (found) drawLine(surface, values, { low: 0, high, color: themeColors().accent, slots: TREND_SECONDS });
      setText(range.current, found ? `${show(found.low)} to ${show(found.high)} ${unit} in 60 s` : "waiting");
    },
    [name],
  );

  return (
    <div className="chart">
      <div className="plot">
        <canvas ref={canvas} role="img" aria-label={label} />
      </div>
      <span className="axis figure" ref={range} />
    </div>
  );
}

/** Counts of a ring's values per ms; the last bin takes what is longer. */
export function bins(ring) {
  const counts = new Array(BINS + 1).fill(0);
  for (let i = 0; i < ring.length; i += 1) counts[Math.min(BINS, Math.max(0, Math.floor(ring.at(i))))] += 1;
  return counts;
}

export function Histogram({ label }) {
  const canvas = useRef(null);

  useSlowChart(
    canvas,
    ({ context, width, height }) => {
      const counts = bins(store.measurements.latency);
      const most = Math.max(...counts, 1);
      const colors = themeColors();
      const step = width / counts.length;
      context.fillStyle = colors.line;
      context.fillRect(0, height - 1, width, 1);
      for (const [at, count] of counts.entries()) {
        if (!count) continue;
        const bar = Math.max(1.5, (height - 2) * (count / most));
        context.fillStyle = at < 16 ? colors.accent : colors.warn;
        context.fillRect(at * step + 0.5, height - bar, Math.max(1, step - 1), bar);
      }
    },
    [],
  );

  return (
    <div className="chart">
      <div className="plot">
        <canvas ref={canvas} role="img" aria-label={label} />
      </div>
      <span className="axis figure scale">
        <span>0</span>
        <span>8</span>
        <span>16</span>
        <span>32+ ms</span>
      </span>
    </div>
  );
}
