// How the sizes of one instrument are written: all with the same decimals. Pure.

import { LARGEST, NONE, decimal, scientific } from "./format.js";

const MOST_DECIMALS = 8;
/** Digits of the largest size beyond which decimals are left out, but for two. */
const DIGITS = 6;
const FEWEST = 2;
/** A size is whole when it is no further from a whole number than this part of it. */
const NOISE = 1e-9;

function isWhole(size) {
  return Math.abs(size - Math.round(size)) <= NOISE * size;
}

/** Learns from the sizes that it sees; a finer or a larger one may change how all are written. */
export class Sizes {
  constructor() {
    this.finest = 0;
    this.largest = 0;
  }

  /** Look at a size before it is written. */
  see(size) {
    if (size > this.largest) this.largest = size;
    while (this.finest < MOST_DECIMALS && !isWhole(size * 10 ** this.finest)) this.finest += 1;
  }

  /** Look at a side of a book: flat [price, size, ...]. */
  seeSide(flat) {
    for (let i = 1; i < flat.length; i += 2) this.see(flat[i]);
  }

  get decimals() {
    const whole = Math.floor(Math.log10(this.largest || 1)) + 1;
    return Math.min(this.finest, Math.max(FEWEST, DIGITS - whole));
  }

  /** Write a size; one that these decimals would show as nothing is said to be less than they can show. */
  text(size) {
    if (!Number.isFinite(size)) return NONE;
    if (size >= LARGEST) return scientific(size);
    const { decimals } = this;
    const least = 10 ** -decimals;
    return size > 0 && size < least / 2 ? `<${decimal(least, decimals)}` : decimal(size, decimals);
  }
}
