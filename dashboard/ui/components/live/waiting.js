// What a panel says that has nothing to show: what an instrument is and what its feed can send decide
// whether something is worth waiting for. Pure.

import { INTERVALS, intervalsOf } from "./bars.js";
import { flows } from "./connection.js";
import { wholeDuration } from "./format.js";

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

/** The words for what a panel waits for: candles are made of bars where the feed has them whole. */
function awaited(panel, { barMs }) {
  if (panel !== "candles" || !barMs) return PANELS[panel];
  return { thing: "bar", rest: `: the feed has bars of ${wholeDuration(barMs / 1000)}` };
}

/** Why there are no candles of a feed's whole bars; null where there may be. */
function neverCandles(instrument) {
  if (intervalsOf(instrument).length) return null;
  const lengths = INTERVALS.map(([, label]) => label);
  const candles = `${lengths.slice(0, -1).join(", ")} or ${lengths.at(-1)}`;
  return `The feed has bars of ${wholeDuration(instrument.barMs / 1000)} of ${instrument.name}: they make no candles of ${candles}.`;
}

/** Why a panel of an instrument never has anything to show, in a sentence; null where it may have. */
export function never(panel, instrument) {
  const { kind, sends, name, barMs } = instrument;
  if (panel === "candles" && barMs) return neverCandles(instrument);
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
  const { thing, rest = "" } = awaited(panel, instrument);
  return waited > WAIT_MS ? `No ${thing} of ${name} has come yet${rest}.` : `Waiting for the first ${thing} of ${name}${rest}.`;
}
