// How the page stands towards the server and the feeds. Pure.

/** Silence after which nothing is known of the feeds any more. */
export const SILENT_MS = 2500;
const DOWN_MS = 1000;
const FLOWING = new Set(["live", "replayed"]);

/**
 * One of connecting, live, stale, reconnecting.
 *
 * `sinceBatch` is in ms, Infinity before the first batch; `socketDown` says that
 * the last attempt to reach the server failed; `feeds` are their states.
 */
export function connectionState({ sinceBatch, socketDown, feeds }) {
  if (sinceBatch === Infinity) return "connecting";
  if (socketDown && sinceBatch > DOWN_MS) return "reconnecting";
  if (sinceBatch > SILENT_MS) return "stale";
  if (feeds.length && !feeds.some((state) => FLOWING.has(state))) return "stale";
  return "live";
}

/** Whether what the page asks reaches the server, as far as the page can know. */
export function reaches({ sinceBatch, socketDown }) {
  return !socketDown && sinceBatch <= SILENT_MS;
}

/** What all feeds together are: the state of the best of them. */
export function feedsState(states) {
  for (const state of ["live", "replayed", "stale", "ended", "failed"]) if (states.includes(state)) return state;
  return "waiting";
}

/** A connection state in a sentence, for a tooltip and for screen readers. */
export const CONNECTION_WORDS = {
  connecting: "Connecting to the server; nothing has come yet.",
  live: "The page receives the stream.",
  stale: "No fresh data is coming; the last values stay, greyed.",
  reconnecting: "The server does not answer, and controls that need it are off; the page goes on by itself.",
};
