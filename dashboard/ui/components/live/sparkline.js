// Prices over time as a line without axes. The path is pure.

/**
 * The runs of a series as flat [x, y, x, y, ...], oldest first; a gap ends a run. `x(ms)` and
 * `y(price)` give pixels, x rising. Of several prices in one pixel column the first, lowest,
 * highest and last are kept.
 */
export function sparkRuns({ prices, times, breaks }, { x, y }) {
  const runs = [];
  let run = null;
  let column = 0;
  let low = 0;
  let high = 0;
  let last = 0;
  let broken = 0;
  const flush = () => {
    if (low !== last) run.push(column, y(low));
    if (high !== last) run.push(column, y(high));
    if (low !== high) run.push(column, y(last));
  };
  for (let i = 0; i < prices.length; i += 1) {
    const time = times.at(i);
    const value = prices.at(i);
    const at = Math.floor(x(time));
    const begins = !run || time >= breaks[broken];
    if (begins || at !== column) {
      if (run) flush();
      if (begins && run) while (time >= breaks[broken]) broken += 1;
      if (begins) runs.push((run = []));
      run.push(at, y(value));
      column = at;
      low = value;
      high = value;
    } else if (value < low) low = value;
    else if (value > high) high = value;
    last = value;
  }
  if (run) flush();
  return runs;
}

/** Draw a series from `left` to `right` below the height `from`, with a tinted area below the line. */
export function drawSparkline({ context, height }, series, { low, high, color, from, left, right }) {
  const { prices, times } = series;
  if (prices.length < 2) return;
  const began = times.at(0);
  const span = times.last() - began;
  const margin = 2;
  const scale = (height - from - 2 * margin) / (high - low || 1);
  const x = (ms) => (span > 0 ? left + ((ms - began) / span) * (right - left) : right);
  const y = (value) => (high > low ? height - margin - (value - low) * scale : (from + height) / 2);
  context.lineJoin = "round";
  context.lineWidth = 1.25;
  context.strokeStyle = color;
  context.fillStyle = color;
  for (const points of sparkRuns(series, { x, y })) {
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
    context.stroke();
    context.lineTo(points[points.length - 2], height);
    context.lineTo(points[0], height);
    context.closePath();
    context.globalAlpha = 0.1;
    context.fill();
    context.globalAlpha = 1;
  }
}
