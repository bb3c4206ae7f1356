// Round numbers and times for axes, and the drawing of both. Pure but for `drawGrid`.

const FACTORS = [1, 2, 5, 10];
/** The smallest span as a part of what it spans: below it, numbers have no room. */
const FINEST = 1e-12;
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300];

/** Round steps of at least `least` that divide low..high into at most `most` parts. */
export function niceStep(low, high, most, least = 0) {
  const wanted = Math.max((high - low) / most, least);
  if (!(wanted > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted) + 1e-9);
  return power * FACTORS.find((factor) => factor * power >= wanted * (1 - 1e-9));
}

/** The multiples of a round step within low..high. */
export function niceTicks(low, high, most, least = 0) {
  const step = niceStep(low, high, most, least);
  const first = Math.ceil(low / step - 1e-9) || 0;
  const ticks = [];
  // Counted, as far from zero the next multiple may be no other number.
  for (let at = 0; at <= most + 1 && (first + at) * step <= high + step * 1e-9; at += 1) ticks.push((first + at) * step);
  return ticks;
}

/** Times in ms on round seconds within from..to, at most `most` apart from one at an edge. */
export function timeTicks(from, to, most) {
  const step = 1000 * (SECONDS.find((seconds) => (to - from) / 1000 / seconds <= most) ?? SECONDS.at(-1));
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** Decimals that tell values a step apart, `atMost` of them. */
export function decimalsOf(step, atMost) {
  return Math.min(atMost, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

/**
 * Draw grid lines and their labels: `across` at heights with text at the right of the plot,
 * `down` at x with text below. `plot` is { left, top, right, bottom } on the surface.
 */
export function drawGrid({ context }, plot, { across, down, colors }) {
  context.font = colors.axisFont;
  context.fillStyle = colors.faint;
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  context.beginPath();
  for (const { y } of across) line(context, plot.left, y, plot.right, y);
  for (const { x } of down) line(context, x, plot.top, x, plot.bottom);
  context.stroke();
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const { y, text } of across) context.fillText(text, plot.right + 6, y);
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const { x, text } of down) context.fillText(text, x, plot.bottom + 5);
}

function line(context, x, y, toX, toY) {
  const crisp = (value) => Math.round(value) + 0.5;
  context.moveTo(crisp(x), crisp(y));
  context.lineTo(crisp(toX), crisp(toY));
}

/**
 * The range to draw: with some room around what was found, and the one before as long as that
 * holds it without being much too wide. `least` is the smallest span.
 */
export function keptRange(before, { low, high }, least) {
  const span = Math.max(high - low, least, FINEST * Math.max(Math.abs(low), Math.abs(high)));
  if (before && low >= before.low && high <= before.high && before.high - before.low <= 2.2 * span) return before;
  const room = (span - (high - low)) / 2 + 0.15 * span;
  return { low: low - room, high: high + room };
}
