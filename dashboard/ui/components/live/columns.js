// Where the columns of a batch's rows stand. Made from dashboard/ui/columns.py, which says what
// they hold, by `python -m dashboard.ui.columns`: change them there.

export const WATCHED = Object.freeze({ symbol: 0, exchange: 1, decimals: 2, tickSize: 3, kind: 4, sends: 5, feed: 6, barMs: 7 });
export const LISTED = Object.freeze({ symbol: 0, exchange: 1, underlying: 2, tickSize: 3, absoluteLimit: 4, deltaLimit: 5 });
export const FOUND = Object.freeze({ text: 0, first: 1, found: 2, listed: 3, rows: 4 });
export const LOSSES = Object.freeze({ conflated: 0, lost: 1 });
export const STRETCH = Object.freeze({ played: 0, recorded: 1, pace: 2, jumped: 3 });
export const HOPS = Object.freeze({ sourceToHub: 0, hubToSent: 1 });
export const LOAD = Object.freeze({ cpuPct: 0, memMb: 1, msgRate: 2 });
export const ECHO = Object.freeze({ pageMs: 0, cameMs: 1 });
export const TRADE = Object.freeze({ at: 0, price: 1, size: 2, side: 3, time: 4, buyer: 5, seller: 6 });
export const BOOK = Object.freeze({ at: 0, bids: 1, asks: 2, partial: 3 });
export const QUOTE = Object.freeze({ time: 0, bid: 1, bidSize: 2, ask: 3, askSize: 4 });
export const PRICED = Object.freeze({ time: 0, price: 1 });
export const COUNTS = Object.freeze({ quotes: 0, books: 1, trades: 2, prices: 3 });
export const PAST = Object.freeze({ quotes: 0, trades: 1, theos: 2, prices: 3 });
export const BAR = Object.freeze({ start: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 });
export const BARS = Object.freeze({ interval: 0, rows: 1, whole: 2 });
export const CURVE = Object.freeze({ id: 0, label: 1 });
export const CURVES = Object.freeze({ minutes: 0, bucket: 1, time: 2, step: 3, names: 4, rows: 5 });
