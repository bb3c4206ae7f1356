// What moves on a card, on one canvas: the price in every frame in which it
// changed, and below it the sparkline. On a canvas, because a frame that writes
// text into the document costs the whole page's style, layout and paint, ten
// times what a canvas costs; the same price stands in the document as text,
// transparent, a few times a second, for readers, search and selection.

import { Surface, extent } from "./canvas.js";
import { themeColors } from "./colors.js";
import { decimal } from "./format.js";
import { drawSparkline } from "./sparkline.js";
import { store } from "./store.js";

const PRICE_HEIGHT = 28;
const LINE_EVERY_MS = 45;
const FLASH_MS = 300;
/** Never more than two flashes a second: faster ones are hard to bear, and for some a hazard. */
const FLASH_EVERY_MS = 600;
const FLASH_ALPHA = 0.32;
const INSET = 4;

/** Widths of characters in a context's font; all digits count as wide as a zero. */
class Widths {
  constructor(context) {
    this.context = context;
    this.known = new Map();
  }

  /** { advance, shift }: the room a character gets, and where in it it stands. */
  of(character) {
    let found = this.known.get(character);
    if (!found) {
      const own = this.context.measureText(character).width;
      const isDigit = character >= "0" && character <= "9";
      const advance = isDigit ? this.context.measureText("0").width : own;
      found = { advance, shift: (advance - own) / 2 };
      this.known.set(character, found);
    }
    return found;
  }
}

export class CardCanvas {
  constructor(canvas) {
    this.canvas = canvas;
    this.surface = new Surface(canvas);
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.series = null;
    this.stale = true;
    this.version = -1;
    this.lineVersion = -1;
    /** Where the price went, as the text says; the line has its colour. */
    this.trend = "flat";
    this.lineTrend = "";
    this.lineAt = 0;
    this.flashedAt = -FLASH_EVERY_MS;
    this.flashedPrice = undefined;
    this.flashColor = "";
    this.flashing = false;
    this.widths = null;
    this.lineTop = 48;
    this.lineRight = 0;
    this.textWidth = 0;
  }

  end() {
    this.surface.end();
  }

  show(series) {
    this.series = series;
  }

  due(now) {
    if (!this.series || !this.surface.width) return false;
    if (this.stale || this.surface.dirty || this.flashing || this.series.version !== this.version) return true;
    return this.lineDue(now);
  }

  lineDue(now) {
    if (this.trend !== this.lineTrend) return true;
    return this.series.version !== this.lineVersion && now - this.lineAt >= store.strain.stretched(LINE_EVERY_MS);
  }

  draw(now) {
    const all = this.stale || this.surface.dirty;
    if (all) {
      this.setFont();
      this.readLayout();
    }
    this.stale = false;
    this.surface.dirty = false;
    this.drawPrice(now);
    if (all || this.lineDue(now)) this.drawLine(now);
  }

  /** The styles say where the line begins, and how much room it leaves at its right. */
  readLayout() {
    const style = getComputedStyle(this.canvas);
    this.lineTop = Number(style.getPropertyValue("--line-top")) || 48;
    this.lineRight = Number(style.getPropertyValue("--line-right")) || 0;
  }

  setFont() {
    const { context } = this.surface;
    context.font = themeColors().priceFont;
    context.textBaseline = "middle";
    this.widths = new Widths(context);
  }

  drawPrice(now) {
    const { context, width } = this.surface;
    const { last, instrument, version } = this.series;
    const colors = themeColors();
    this.version = version;
    context.clearRect(0, 0, width, PRICE_HEIGHT);
    if (last === undefined) return;
    this.flash(last, now, colors);
    const age = now - this.flashedAt;
    this.flashing = this.flashColor !== "" && age < FLASH_MS;
    if (this.flashing) {
      context.globalAlpha = FLASH_ALPHA * (1 - age / FLASH_MS);
      context.fillStyle = this.flashColor;
      context.fillRect(0, 1, Math.min(width, this.textWidth + 2 * INSET), PRICE_HEIGHT - 2);
      context.globalAlpha = 1;
    }
    context.fillStyle = colors.text;
    this.write(decimal(last, instrument.decimals));
  }

  /** Write a price with digits of one width, so that it does not tremble. */
  write(text) {
    let x = INSET;
    for (const character of text) {
      const { advance, shift } = this.widths.of(character);
      this.surface.context.fillText(character, x + shift, PRICE_HEIGHT / 2 + 1);
      x += advance;
    }
    this.textWidth = x - INSET;
  }

  flash(price, now, colors) {
    if (this.calm.matches || now - this.flashedAt < FLASH_EVERY_MS || price === this.flashedPrice) return;
    const before = this.flashedPrice;
    this.flashedAt = now;
    this.flashedPrice = price;
    this.flashColor = before === undefined ? "" : price > before ? colors.up : colors.down;
  }

  drawLine(now) {
    const { context, width, height } = this.surface;
    const { prices, version } = this.series;
    const { trend } = this;
    this.lineVersion = version;
    this.lineTrend = trend;
    this.lineAt = now;
    context.clearRect(0, this.lineTop, width, height - this.lineTop);
    const range = extent(prices);
    if (!range) return;
    const colors = themeColors();
    const color = trend === "flat" ? colors.muted : colors[trend];
    const right = width - INSET - this.lineRight;
    drawSparkline(this.surface, this.series, { ...range, color, from: this.lineTop, left: INSET, right });
  }
}
