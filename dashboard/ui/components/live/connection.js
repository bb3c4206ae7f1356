// How the page stands towards the server and the feeds. Pure.

/** Silence after which nothing is known of the feeds any more. */
export const SILENT_MS = 2500;
const DOWN_MS = 1000;
/** A page that has heard nothing for so long after it was loaded does not reach the server. */
const UNANSWERED_MS = 8000;
const FLOWING = new Set(["live", "replayed"]);

/**
 * One of connecting, live, stale, reconnecting.
 *
 * `sinceBatch` is in ms, Infinity before the first batch, `sinceLoad` too; `socketDown` says that
 * the last attempt to reach the server failed; `feeds` are the states of those that the page is about.
 */
export function connectionState({ sinceBatch, sinceLoad, socketDown, feeds }) {
  if (sinceBatch === Infinity) return socketDown || sinceLoad > UNANSWERED_MS ? "reconnecting" : "connecting";
  if (socketDown && sinceBatch > DOWN_MS) return "reconnecting";
  if (sinceBatch > SILENT_MS) return "stale";
  if (feeds.length && !feeds.some(flows)) return "stale";
  return "live";
}

/** Whether what feeds of this state said last is how things are. */
export function flows(state) {
  return FLOWING.has(state);
}

/** Whether what the page asks reaches the server, as far as the page can know. */
export function reaches({ sinceBatch, socketDown }) {
  return !socketDown && sinceBatch <= SILENT_MS;
}

/** What all feeds together are: their state, or `mixed` where they have several. */
export function feedsState(states) {
  const [state = "waiting", ...others] = new Set(states);
  return others.length ? "mixed" : state;
}

/** The states of all feeds in words, each once. */
export function feedsWords(states) {
  return [...new Set(states)].join(", ") || "waiting";
}

/** What the numbers are that the page shows: `connection`, and where nothing is wrong with that, what the feeds are. */
export function standing({ connection, heard, feeds }) {
  if (connection === "connecting") return "connecting";
  if (connection === "reconnecting" || !heard) return "unheard";
  for (const state of ["live", "replayed", "stale", "ended", "failed"]) if (feeds.includes(state)) return state;
  return "live";
}

/** How a standing is said that lasts since a time. */
export const SINCE_WORDS = {
  unheard: "no answer since",
  stale: "stale since",
  ended: "ended",
  failed: "failed, last event",
};

/** A connection state in a sentence, for a tooltip and for screen readers. */
export const CONNECTION_WORDS = {
  connecting: "Connecting to the server; nothing has come yet.",
  live: "The page receives the stream.",
  stale: "No fresh data is coming; the last values stay, greyed.",
  reconnecting: "The server does not answer, and controls that need it are off; the page goes on by itself.",
  replayed: "The page receives the stream, and what it shows was recorded.",
};
