// When trades happened, as their readers are told: those of a replay when they were recorded.

import { dayOf, timeOfDay } from "./format.js";
import { setAttribute, setText } from "./hooks.js";
import { allReplayed } from "./sources.js";
import { store } from "./store.js";

const JUMPED = "The recording was played from elsewhere from here on: another round or another place.";

export function tradeTime({ instrument, time }) {
  return timeOfDay(store.sources.timeOf(instrument, time), true);
}

/**
 * Mark a row whose trade was recorded, and one whose replay has jumped since the trade before it; gives
 * what there is to say of that. The trade is number `at` of these, the newest first.
 */
export function markTime(row, trades, at) {
  const { instrument, time } = trades[at];
  const recorded = store.sources.isReplayed(instrument);
  const older = recorded && trades.find((each, other) => other > at && each.instrument.feed === instrument.feed);
  const jumped = older && store.sources.jumped(instrument, older.time, time);
  setAttribute(row, "data-recorded", recorded ? "" : null);
  setAttribute(row, "data-jumped", jumped ? "" : null);
  return jumped ? JUMPED : "";
}

/** Head the column of times: with the day of the newest trade, where all are of recordings. */
export function writeTimeHead(head, newest) {
  const recorded = newest && allReplayed(store.about) ? store.sources.timeOf(newest.instrument, newest.time) : NaN;
  setText(head, Number.isFinite(recorded) ? dayOf(recorded) : "Time (UTC)");
  setAttribute(head, "title", Number.isFinite(recorded) ? "The day of the recording, and its times in UTC" : null);
}
