// The list of all instruments: names, addresses and search. Pure.

/** An instrument as components use it, from a row of the batch's `i`; limits and underlying may be null. */
export function instrumentOf([symbol, exchange, underlying, tickSize, absoluteLimit, deltaLimit]) {
  const id = `${exchange}:${symbol}`;
  const words = `${symbol} ${exchange} ${underlying ?? ""}`.toLowerCase();
  return { id, symbol, exchange, underlying, tickSize, absoluteLimit, deltaLimit, words };
}

/**
 * The address of an instrument's page, by its full id. Slashes in names stay slashes, but where
 * browsers and routers would take one away: beside another, at an end, beside a dot alone.
 */
export function addressOf(id) {
  const name = encodeURIComponent(id).replaceAll("%3A", ":");
  const parts = name.split("%2F");
  const plain = parts.every((part) => !["", ".", ".."].includes(part));
  return `/instruments/${plain ? parts.join("/") : name}`;
}

/**
 * The instruments that hold every typed word in symbol, exchange or underlying. Those whose
 * symbol is what was typed come first, then those whose symbol begins with it; else the order is kept.
 */
export function findInstruments(all, typed) {
  const text = typed.trim().toLowerCase();
  if (!text) return all;
  const words = text.split(/\s+/);
  const found = all.filter((each) => words.every((word) => each.words.includes(word)));
  const rank = ({ symbol }) => {
    const name = symbol.toLowerCase();
    return name === text ? 0 : name.startsWith(text) ? 1 : 2;
  };
  return found.map((each) => [rank(each), each]).sort((a, b) => a[0] - b[0]).map(([, each]) => each);
}
