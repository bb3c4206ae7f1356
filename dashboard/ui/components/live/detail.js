// What a page about one instrument keeps of it, beside the book. The keys of a
// batch are described in dashboard/ui/batch.py.

import { Bars } from "./bars.js";
import { COUNTS, PAST, PRICED, QUOTE, TRADE } from "./columns.js";
import { NO_INSTRUMENT } from "./instruments.js";
import { Timeline } from "./timeline.js";

export const KEPT_MS = 300_000;
/** A source whose clock is further off than this has its own time on the charts. */
const SKEW_MS = 2000;

/** Columns of a trade on a chart; its time is the first. */
export const [, PRICE, SIZE, SIDE] = [0, 1, 2, 3];

/** A row that holds nothing from this time on; it has as many columns as any. */
function gapAt(ms) {
  return [ms, null, 0, null, 0];
}

export class Detail {
  constructor() {
    this.instrument = NO_INSTRUMENT;
    this.bars = new Bars();
    /** Whether the stream is that of a page about one instrument: the others would keep rows for nobody. */
    this.followed = false;
    this.clear();
  }

  clear() {
    this.quotes = new Timeline(KEPT_MS);
    this.trades = new Timeline(KEPT_MS);
    this.prices = new Timeline(KEPT_MS);
    this.theos = new Timeline(KEPT_MS);
    this.breaks = new Set();
    this.bars.clear();
    this.newest = null;
    this.theo = null;
    this.skew = 0;
    this.version = (this.version ?? 0) + 1;
    this.resetCounts();
  }

  resetCounts() {
    this.counts = { quotes: 0, books: 0, trades: 0, prices: 0 };
  }

  addCounts(counts) {
    for (const kind of Object.keys(this.counts)) this.counts[kind] += counts[kind];
  }

  /** Be about this instrument; tells whether it is another one. */
  begin(instrument) {
    const another = instrument.id !== this.id;
    this.instrument = instrument;
    if (another) this.clear();
    this.bars.begin(instrument);
    return another;
  }

  get id() {
    return this.instrument.id;
  }

  get decimals() {
    return this.instrument.decimals;
  }

  get tickSize() {
    return this.instrument.tickSize;
  }

  /** Take a batch's share of the instrument; trades come by `takeTrade`. */
  take({ q, o, z, m, w, t }) {
    if (w) this.replace(w);
    if (q) for (const quote of q) this.quotes.push(quote);
    if (q) this.newest = q[q.length - 1];
    if (q) this.measureSkew(t - this.newest[QUOTE.time]);
    if (o) for (const theo of o) this.theos.push(theo);
    if (o) this.theo = o[o.length - 1][PRICED.price];
    if (z) for (const price of z) this.prices.push(price);
    if (m) this.count(m);
    this.version += 1;
  }

  /** Let what is drawn end at these times, in ms: what held then did not go on to hold. */
  breakOff(times) {
    const fresh = times.filter((ms) => !this.breaks.has(ms));
    this.breaks = new Set(times);
    if (!fresh.length) return;
    this.leaveGaps(fresh);
    this.version += 1;
  }

  /** A gap is a row without a price. */
  leaveGaps(times) {
    for (const timeline of [this.quotes, this.prices, this.theos]) {
      const begins = timeline.length ? timeline.at(0)[0] : Infinity;
      for (const ms of times) if (ms >= begins) timeline.push(gapAt(ms));
    }
  }

  takeTrade({ time, price, size, side }) {
    if (!this.followed) return;
    this.trades.push([time, price, size, side]);
    this.version += 1;
  }

  /** What the step chart draws: its rows, and the columns of them that are prices. */
  get steps() {
    return this.quotes.length ? { rows: this.quotes, columns: [QUOTE.bid, QUOTE.ask] } : { rows: this.prices, columns: [PRICED.price] };
  }

  /** The last minute as the server has it, in place of all that is here. */
  replace(past) {
    const [quotes, theos] = [past[PAST.quotes], past[PAST.theos]];
    for (const timeline of [this.quotes, this.trades, this.theos, this.prices]) timeline.clear();
    for (const quote of quotes) this.quotes.push(quote);
    for (const theo of theos) this.theos.push(theo);
    for (const price of past[PAST.prices]) this.prices.push(price);
    this.leaveGaps(this.breaks);
    this.newest = quotes[quotes.length - 1] ?? null;
    this.theo = theos[theos.length - 1]?.[PRICED.price] ?? null;
    for (const row of past[PAST.trades]) {
      this.trades.push([row[TRADE.time], row[TRADE.price], row[TRADE.size], row[TRADE.side]]);
    }
  }

  count(row) {
    for (const kind of Object.keys(this.counts)) this.counts[kind] += row[COUNTS[kind]];
  }

  /** Messages of the instrument: quotes, books and trades; prices where a feed sends nothing else. */
  get messages() {
    const { quotes, books, trades, prices } = this.counts;
    return quotes + books + trades || prices;
  }

  measureSkew(late) {
    this.skew = Math.abs(late) > SKEW_MS ? late : 0;
  }

  /** The time at the right edge of the charts, when the server's clock shows `serverNow`. */
  edge(serverNow) {
    return serverNow - this.skew;
  }

  /** The quote that came last; one before it may have been ahead of time. */
  quote() {
    return this.newest;
  }
}
