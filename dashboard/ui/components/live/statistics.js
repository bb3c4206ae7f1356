// Rolling windows and their statistics. Pure.

/** The last `capacity` numbers, oldest first. */
export class Ring {
  constructor(capacity) {
    this.values = new Float64Array(capacity);
    this.start = 0;
    this.length = 0;
  }

  push(value) {
    const capacity = this.values.length;
    if (this.length < capacity) {
      this.values[(this.start + this.length) % capacity] = value;
      this.length += 1;
    } else {
      this.values[this.start] = value;
      this.start = (this.start + 1) % capacity;
    }
  }

  at(index) {
    return this.values[(this.start + index) % this.values.length];
  }

  last() {
    return this.length ? this.at(this.length - 1) : undefined;
  }

  clear() {
    this.start = 0;
    this.length = 0;
  }

  /** A ring of another capacity that holds the newest of these values. */
  resized(capacity) {
    const ring = new Ring(capacity);
    for (let i = Math.max(0, this.length - capacity); i < this.length; i += 1) ring.push(this.at(i));
    return ring;
  }

  /** Put the values of another ring behind these. */
  take(ring) {
    for (let i = 0; i < ring.length; i += 1) this.push(ring.at(i));
    return this;
  }

  /** The values in rising order, in a fresh array. */
  sorted() {
    const first = this.values.subarray(this.start, Math.min(this.start + this.length, this.values.length));
    const out = new Float64Array(this.length);
    out.set(first);
    out.set(this.values.subarray(0, this.length - first.length), first.length);
    return out.sort();
  }
}

/** A ring whose values each stand for several messages. */
export class WeightedRing extends Ring {
  constructor(capacity) {
    super(capacity);
    this.weights = new Ring(capacity);
  }

  push(value, weight = 1) {
    super.push(value);
    this.weights.push(weight);
  }

  take(ring) {
    for (let i = 0; i < ring.length; i += 1) this.push(ring.at(i), ring.weights.at(i));
    return this;
  }

  clear() {
    super.clear();
    this.weights?.clear();
  }
}

/** The value at index floor((n-1)*p) of values in rising order; undefined when there are none. */
export function percentile(sorted, p) {
  return sorted.length ? sorted[Math.floor((sorted.length - 1) * p)] : undefined;
}

/** Mean, p50 and p95 of a ring (of a weighted one, by weight); null while it is empty. */
export function summary(ring) {
  if (!ring.length) return null;
  if (ring.weights) return weightedSummary(ring);
  const sorted = ring.sorted();
  let sum = 0;
  for (let i = 0; i < sorted.length; i += 1) sum += sorted[i];
  return { mean: sum / sorted.length, p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) };
}

/** Thousandths of a value and its weight stand in one number: those sort without a function, four times as fast. */
const WEIGHTS = 2 ** 20;

/** Values are not negative, and weights whole numbers below `WEIGHTS`. */
function weightedSummary(ring) {
  const packed = new Float64Array(ring.length);
  let count = 0;
  let sum = 0;
  for (let i = 0; i < ring.length; i += 1) {
    const [value, weight] = [ring.at(i), ring.weights.at(i)];
    packed[i] = Math.round(1000 * value) * WEIGHTS + weight;
    count += weight;
    sum += value * weight;
  }
  if (!count) return null;
  packed.sort();
  return { mean: sum / count, p50: weightedPercentile(packed, count, 0.5), p95: weightedPercentile(packed, count, 0.95) };
}

/** `percentile` of packed values in rising order, as if each stood there as often as it weighs. */
function weightedPercentile(packed, count, p) {
  let index = Math.floor((count - 1) * p);
  for (const each of packed) {
    const weight = each % WEIGHTS;
    if (index < weight) return Math.floor(each / WEIGHTS) / 1000;
    index -= weight;
  }
  return undefined;
}
