// Draws the sparklines that changed, each at most about twenty times a second and
// all within a budget a frame: those that do not fit in come first in the next.

import { drawLine, extent } from "./canvas.js";
import { colorsVersion, themeColors } from "./colors.js";

const BUDGET_MS = 3;
const EACH_MS = 45;

/** The prices of one series over the sample window. */
export class Sparkline {
  constructor(surface) {
    this.surface = surface;
    this.series = null;
    this.dirty = false;
    this.visible = true;
    this.drawnAt = 0;
  }

  show(series) {
    this.series = series;
    this.dirty = true;
  }

  due(now) {
    if (!this.visible) return false;
    return this.surface.dirty || (this.dirty && now - this.drawnAt >= EACH_MS);
  }

  draw(now) {
    this.dirty = false;
    this.drawnAt = now;
    this.surface.clear();
    if (!this.series) return;
    const { prices } = this.series;
    const range = extent(prices);
    if (!range) return;
    const colors = themeColors();
    const color = prices.last() >= prices.at(0) ? colors.up : colors.down;
    drawLine(this.surface, prices, { ...range, color });
  }
}

class Sparklines {
  constructor() {
    this.queue = [];
    this.colors = 0;
    this.observer = null;
  }

  add(sparkline) {
    this.observer ??= new IntersectionObserver((entries) => this.seen(entries));
    this.observer.observe(sparkline.surface.canvas);
    this.queue.push(sparkline);
  }

  remove(sparkline) {
    this.observer.unobserve(sparkline.surface.canvas);
    this.queue.splice(this.queue.indexOf(sparkline), 1);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const sparkline = this.queue.find((each) => each.surface.canvas === target);
      if (sparkline) sparkline.visible = isIntersecting;
    }
  }

  /** Draw until the budget is spent, at least one, each at most once. */
  paint(now) {
    const repaint = this.colors !== colorsVersion();
    this.colors = colorsVersion();
    if (repaint) for (const each of this.queue) each.dirty = true;
    const end = now + BUDGET_MS;
    for (let left = this.queue.length; left > 0; left -= 1) {
      const sparkline = this.queue.shift();
      this.queue.push(sparkline);
      if (!sparkline.due(now)) continue;
      sparkline.draw(now);
      if (performance.now() > end) return;
    }
  }
}

export const sparklines = new Sparklines();
