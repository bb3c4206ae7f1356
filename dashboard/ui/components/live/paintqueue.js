// Lets many canvases draw within a budget a frame: those that do not fit in come
// first in the next frame. What is scrolled out of sight is not drawn, and not shown:
// the browser handles each shown canvas in every frame.

import { colorsVersion } from "./colors.js";

const BUDGET_MS = 4;
/** How far out of sight in a scrolled box a canvas is made ready: about a row of cards. */
const MARGIN = "110px";

/** Its members have `canvas`, `due(now)` and `draw(now)`; `stale` asks them to draw all anew. */
class PaintQueue {
  constructor() {
    this.members = [];
    this.hidden = new Set();
    this.colors = 0;
    this.observer = null;
  }

  add(member) {
    this.observer ??= new IntersectionObserver((entries) => this.seen(entries), { scrollMargin: MARGIN });
    this.observer.observe(member.canvas);
    this.members.push(member);
  }

  remove(member) {
    this.observer.unobserve(member.canvas);
    this.hidden.delete(member.canvas);
    this.members.splice(this.members.indexOf(member), 1);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.hidden.delete(target);
      else this.hidden.add(target);
      target.style.visibility = isIntersecting ? "" : "hidden";
    }
  }

  /** Tell whether a member is out of sight. */
  hides(member) {
    return this.hidden.has(member.canvas);
  }

  /** Draw until the budget is spent, at least one, each at most once. */
  paint(now) {
    if (this.colors !== colorsVersion()) {
      this.colors = colorsVersion();
      for (const member of this.members) member.stale = true;
    }
    for (let left = this.members.length; left > 0; left -= 1) {
      const member = this.members.shift();
      this.members.push(member);
      if (this.hidden.has(member.canvas) || !member.due(now)) continue;
      member.draw(now);
      if (performance.now() - now > BUDGET_MS) return;
    }
  }
}

export const cardQueue = new PaintQueue();
