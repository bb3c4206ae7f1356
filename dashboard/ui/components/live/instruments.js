// Instruments: what tells them apart, what they are called, and where their pages are. Pure.

import { LISTED, WATCHED } from "./columns.js";

/** The full id, unique over all feeds: what the page keeps, sends and stores of an instrument. */
export function idOf(exchange, symbol) {
  return `${exchange}:${symbol}`;
}

/** What stands for an instrument where there is none. */
export const NO_INSTRUMENT = Object.freeze({
  id: "",
  symbol: "",
  exchange: "",
  name: "",
  decimals: 2,
  tickSize: 0,
  kind: null,
  sends: [],
  feed: "",
  barMs: null,
});

/** Instruments that a page watches, from the rows of a description, with their `name`, see `namesOf`. */
export function watchedOf(rows) {
  const watched = rows.map((row) => {
    const [symbol, exchange] = [row[WATCHED.symbol], row[WATCHED.exchange]];
    return {
      id: idOf(exchange, symbol),
      symbol,
      exchange,
      decimals: row[WATCHED.decimals],
      tickSize: row[WATCHED.tickSize],
      kind: row[WATCHED.kind],
      sends: row[WATCHED.sends],
      feed: row[WATCHED.feed],
      barMs: row[WATCHED.barMs],
    };
  });
  const names = namesOf(watched);
  return watched.map((each) => ({ ...each, name: names.get(each.id) }));
}

/** An instrument of the list of all; limits and underlying may be null. */
export function listedOf(row) {
  const [symbol, exchange] = [row[LISTED.symbol], row[LISTED.exchange]];
  return {
    id: idOf(exchange, symbol),
    symbol,
    exchange,
    underlying: row[LISTED.underlying],
    tickSize: row[LISTED.tickSize],
    absoluteLimit: row[LISTED.absoluteLimit],
    deltaLimit: row[LISTED.deltaLimit],
  };
}

/** What people read of instruments that are shown together, by id: the symbol, and the exchange where two have it. */
export function namesOf(instruments) {
  const counts = new Map();
  for (const { symbol } of instruments) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  const nameOf = ({ symbol, exchange }) => (counts.get(symbol) > 1 ? `${symbol} ${exchange}` : symbol);
  return new Map(instruments.map((each) => [each.id, nameOf(each)]));
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
