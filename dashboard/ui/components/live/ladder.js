// The rows of a price ladder. Pure.
//
// A row is a tick, and the rows follow each other without a hole, so that the
// distance between prices can be seen. Where the book's levels are so many
// ticks apart that hardly any would be in sight, the rows are its levels.

/** The share of the near levels in sight below which the rows become levels, and above which ticks again. */
const FEW = 0.35;
const MANY = 0.65;

/** A side's sizes by price in ticks, from flat [price, size, ...], best first. */
function inTicks(flat, tickSize) {
  const sizes = new Map();
  for (let i = 0; i < flat.length; i += 2) {
    const tick = Math.round(flat[i] / tickSize);
    sizes.set(tick, (sizes.get(tick) ?? 0) + flat[i + 1]);
  }
  return sizes;
}

function first(sizes) {
  return sizes.size ? sizes.keys().next().value : null;
}

function middle(bestBid, bestAsk) {
  if (bestBid === null || bestAsk === null) return bestBid ?? bestAsk;
  return (bestBid + bestAsk) / 2;
}

export class Ladder {
  constructor() {
    this.center = null;
    this.byTicks = null;
  }

  /**
   * The rows from the highest price down, `count` of them: { tick, price, bid, ask, best }, where
   * sizes of an empty level are 0, `best` is bid, ask or null, and a row without a price has tick
   * null. Gives { rows, byTicks, largest } or null while both sides are empty.
   */
  rows({ bids, asks }, tickSize, count) {
    const bid = inTicks(bids, tickSize);
    const ask = inTicks(asks, tickSize);
    const best = { bid: first(bid), ask: first(ask) };
    const mid = middle(best.bid, best.ask);
    if (mid === null) return null;
    const half = Math.floor(count / 2);
    this.chooseMode(this.inSight(bid, ask, mid, half));
    const ticks = this.byTicks ? this.contiguous(mid, half, count) : levels(bid, ask, half, count);
    const rows = ticks.map((tick) => ({
      tick,
      price: tick === null ? NaN : tick * tickSize,
      bid: bid.get(tick) ?? 0,
      ask: ask.get(tick) ?? 0,
      best: tick === null ? null : tick === best.bid ? "bid" : tick === best.ask ? "ask" : null,
    }));
    const largest = rows.reduce((most, row) => Math.max(most, row.bid, row.ask), 0);
    return { rows, byTicks: this.byTicks, largest };
  }

  /** Which share of the levels that could be shown lies within `half` ticks of the middle. */
  inSight(bid, ask, mid, half) {
    let near = 0;
    let all = 0;
    for (const side of [bid, ask]) {
      let taken = 0;
      for (const tick of side.keys()) {
        if (taken === half) break;
        taken += 1;
        if (Math.abs(tick - mid) <= half) near += 1;
      }
      all += taken;
    }
    return near / all;
  }

  chooseMode(share) {
    if (this.byTicks === null) this.byTicks = share >= (FEW + MANY) / 2;
    else if (share < FEW) this.byTicks = false;
    else if (share > MANY) this.byTicks = true;
  }

  /** Ticks around a centre that stays until the middle of the book leaves the middle third. */
  contiguous(mid, half, count) {
    if (this.center === null || Math.abs(mid - this.center) > count / 6) this.center = Math.round(mid);
    return Array.from({ length: count }, (_, row) => this.center + half - row);
  }
}

/** The book's own levels: asks down to the best, then bids; null where a side has no more. */
function levels(bid, ask, half, count) {
  const asks = [...ask.keys()].slice(0, half);
  const bids = [...bid.keys()].slice(0, count - half);
  return [
    ...new Array(half - asks.length).fill(null),
    ...asks.reverse(),
    ...bids,
    ...new Array(count - half - bids.length).fill(null),
  ];
}
