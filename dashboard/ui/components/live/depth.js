// The cumulative depth of a book. Pure.

/** A side's steps, best first: [price, cumulative size] from flat [price, size, ...]. */
export function cumulate(flat) {
  const steps = [];
  let sum = 0;
  for (let i = 0; i < flat.length; i += 2) {
    sum += flat[i + 1];
    steps.push([flat[i], sum]);
  }
  return steps;
}

/**
 * What a depth chart shows: both sides' steps, the middle, and a price range around it that holds
 * the farther side; null while a side is empty.
 */
export function depthOf({ bids, asks }) {
  const bid = cumulate(bids);
  const ask = cumulate(asks);
  if (!bid.length || !ask.length) return null;
  const mid = (bid[0][0] + ask[0][0]) / 2;
  const reach = 1.02 * Math.max(mid - bid[bid.length - 1][0], ask[ask.length - 1][0] - mid);
  const most = Math.max(bid[bid.length - 1][1], ask[ask.length - 1][1]);
  return { bid, ask, mid, low: mid - reach, high: mid + reach, most };
}

/** The size that can be traded up to a price, from the best one on: [side, size]. */
export function sizeUpTo({ bid, ask, mid }, price) {
  const side = price < mid ? "bid" : "ask";
  const steps = side === "bid" ? bid : ask;
  const within = (level) => (side === "bid" ? level >= price : level <= price);
  let size = 0;
  for (const [level, sum] of steps) {
    if (!within(level)) break;
    size = sum;
  }
  return [side, size];
}
