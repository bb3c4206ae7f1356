// Which batches have come, of this stream and of those before it on this page. Pure.

/** Streams whose batches are known again; more than there are slots that could still hold one. */
const KEPT_GENERATIONS = 64;

export class Arrivals {
  constructor() {
    this.generation = null;
    this.number = 0;
    this.taken = new Map();
  }

  /**
   * Whether a batch has not come yet, on this page or the one before it. A generation is no clock: one
   * that the page has not seen is that of a new stream, whatever the server's clock says.
   */
  awaits({ g, n }) {
    return g !== undefined && n > (this.taken.get(g) ?? 0);
  }

  /** The batches in these slots that have not come yet, in the order in which to take them. */
  awaited(slots) {
    const streams = [this.generation, ...new Set(slots.map(({ g }) => g))];
    const fresh = slots.filter((batch) => this.awaits(batch));
    return fresh.sort((a, b) => streams.indexOf(a.g) - streams.indexOf(b.g) || a.n - b.n);
  }

  /** Note a batch; tells whether it `begins` another stream, and how many before it were `missed`. */
  take({ g, n }) {
    const begins = g !== this.generation;
    if (begins) this.begin(g);
    const missed = Math.max(0, n - this.number - 1);
    this.number = n;
    this.taken.set(g, n);
    return { begins, missed };
  }

  begin(generation) {
    this.generation = generation;
    this.number = 0;
    if (this.taken.size >= KEPT_GENERATIONS) this.taken.delete(this.taken.keys().next().value);
  }
}
