// What a panel says that has nothing to show: what an instrument is and what its feed can send decide
// whether something is worth waiting for. Pure.

import { flows } from "./connection.js";

/** So long a panel waits before it says that nothing has come. */
export const WAIT_MS = 3000;

const STATES = { stale: "is stale", ended: "has ended", failed: "has failed" };

/** By what a panel shows: what the feed must send for it, and the words for that. */
const PANELS = {
  book: { needs: "book", thing: "order book", index: "An index has no order book." },
  quotes: { needs: "quotes", thing: "bid and ask", index: "An index has no bid and ask." },
  trades: { needs: "trades", thing: "trade", things: "trades", index: "An index is not traded." },
  candles: {
    needs: "trades",
    thing: "trade",
    things: "trades",
    index: "An index is not traded, and candles are made of trades.",
    rest: ": candles are made of trades",
  },
  prices: { needs: null, thing: "price" },
};

/** Why a panel of an instrument never has anything to show, in a sentence; null where it may have. */
export function never(panel, { kind, sends, name }) {
  const { needs, thing, things = thing, index, rest = "" } = PANELS[panel];
  if (!needs) return null;
  if (kind === "index") return index;
  if (!sends.length || sends.includes(needs)) return null;
  return `The feed sends no ${things} of ${name}${rest}.`;
}

/** What the tape says while no trade of what is watched has come for `waited` ms. */
export function emptyTapeText(watched, { unheard }, waited) {
  if (unheard) return "The server does not answer.";
  if (watched.length && watched.every((each) => never("trades", each))) return "The feeds send no trades of what is watched.";
  return waited > WAIT_MS ? "No trade of a watched symbol has come yet." : "Waiting for the first trade of a watched symbol.";
}

/**
 * What a panel says while it has nothing to show of an instrument, after `waited` ms. `lack` is what
 * stands between the two: whether the server is `unheard`, why the instrument is `refused`, and the
 * `state` of its `feed`.
 */
export function emptyText(panel, instrument, { unheard, refused, feed, state }, waited) {
  const { name } = instrument;
  if (unheard) return "The server does not answer.";
  if (!instrument.id) return "No instrument is chosen.";
  if (refused) return `${name} is not delivered: ${refused}`;
  const why = never(panel, instrument);
  if (why) return why;
  if (!flows(state)) return `Nothing comes of ${name}: the feed ${feed} ${STATES[state]}.`;
  const { thing, rest = "" } = PANELS[panel];
  return waited > WAIT_MS ? `No ${thing} of ${name} has come yet${rest}.` : `Waiting for the first ${thing} of ${name}${rest}.`;
}
