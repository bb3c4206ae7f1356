// How far the server's clock is ahead of the page's. Pure.
//
// The page sends its clock with each report; the server answers with the time
// it received that (and the time it sent the answer). The exchange with the
// smallest round trip of the last minute is believed, since one of the clocks was set.

const KEPT_MS = 60_000;
const MOST = 120;
/** Two exchanges that contradict each other by more than this have a clock that was set between them. */
const SET_MS = 250;

/** The page's clock in ms since the Unix epoch, with parts of a ms. */
export function pageClock(now = performance.now()) {
  return performance.timeOrigin + now;
}

export class ClockOffset {
  constructor() {
    this.samples = [];
  }

  clear() {
    this.samples.length = 0;
  }

  /** Take one exchange, all in ms: page sent, server received, server sent, page received. */
  add(pageSent, serverReceived, serverSent, pageReceived) {
    const rtt = pageReceived - pageSent - (serverSent - serverReceived);
    const offset = (serverReceived - pageSent + (serverSent - pageReceived)) / 2;
    if (!(rtt >= 0) || !Number.isFinite(offset)) return;
    const best = this.best();
    if (best && Math.abs(offset - best.offset) > (rtt + best.rtt) / 2 + SET_MS) this.clear();
    this.samples.push({ at: pageReceived, rtt, offset });
    while (this.samples.length > MOST || this.samples[0].at < pageReceived - KEPT_MS) this.samples.shift();
  }

  /** The exchange with the smallest round trip: { rtt, offset } in ms, or null. */
  best() {
    let best = null;
    for (const sample of this.samples) if (!best || sample.rtt < best.rtt) best = sample;
    return best;
  }

  /** The offset to apply in ms: none while it is within what the round trip leaves open. */
  applied() {
    const best = this.best();
    return best && Math.abs(best.offset) > best.rtt / 2 ? best.offset : 0;
  }
}
