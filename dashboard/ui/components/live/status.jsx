// How things stand: the pills of the status line, the clock, the notes in the
// panels' headers, and what a screen reader is told.

import { useEffect, useRef } from "react";
import { CONNECTION_WORDS, SILENT_MS, SINCE_WORDS, feedsState, feedsWords } from "./connection.js";
import { dayAndTime, dayOf, timeOfDay } from "./format.js";
import { setAttribute, setText, useShape, useSlowPainter } from "./hooks.js";
import { allReplayed } from "./sources.js";
import { store } from "./store.js";

/** The clock of a recording stands still when nothing is heard for so long. */
const SILENT_CLOCK_MS = 1000;

/** How the page stands: its connection, and `replayed` where that brings nothing that happens now. */
export function ConnectionPill() {
  const { connection, stands } = useShape();
  const state = stands === "replayed" ? stands : connection;
  return (
    <span className="pill" data-state={state} title={CONNECTION_WORDS[state]}>
      <span className="pill-label">Page</span>
      <span data-testid="connection" data-state={connection}>
        {state}
      </span>
    </span>
  );
}

export function FeedPill() {
  const name = useRef(null);
  const state = useRef(null);

  useSlowPainter(
    () => (now) => {
      const names = store.feeds.map((feed) => feed.name).join(", ");
      const heard = now - store.receivedAt < SILENT_MS;
      const states = heard ? store.feeds.map((feed) => feed.state) : names ? ["unknown"] : [];
      const all = feedsState(states);
      setText(name.current, names || "feed");
      setAttribute(name.current, "title", names || null);
      setText(state.current, feedsWords(states));
      if (state.current.dataset.state !== all) {
        state.current.dataset.state = all;
        state.current.parentElement.dataset.state = all;
      }
    },
    [],
  );

  return (
    <span className="pill" title="The source of the market data, and how it stands">
      <span ref={name} className="pill-label feed-name">
        feed
      </span>
      <span ref={state} data-testid="feed-state" data-state="waiting">
        waiting
      </span>
    </span>
  );
}

export function PausedPill() {
  const { paused } = useShape();
  return paused ? (
    <span className="pill paused" data-testid="paused">
      paused
    </span>
  ) : null;
}

/** The time of what the page shows: now, or where the recording is that it is about. */
export function UtcClock() {
  const root = useRef(null);
  const element = useRef(null);
  useSlowPainter(
    () => (now) => {
      const recorded = allReplayed(store.about);
      setAttribute(root.current, "data-recorded", recorded ? "" : null);
      setAttribute(root.current, "title", recorded ? "When that was recorded which is replayed" : null);
      setText(element.current, recorded ? recordedNow(now) : timeOfDay(Date.now()));
    },
    [],
  );
  return (
    <span className="clock figure" data-testid="clock" ref={root}>
      <span ref={element}>--:--:--</span> UTC
    </span>
  );
}

function recordedNow(now) {
  const place = store.sources.placeOf(store.about[0], Math.min(now, store.receivedAt + SILENT_CLOCK_MS));
  return `${dayOf(place)} ${timeOfDay(place)}`;
}

/** Why the numbers of a panel are not live, and since when; nothing while they are. */
export function Note() {
  const { stands, since, paused, replayPaused } = useShape();
  if (stands === "connecting") return <span className="note">waiting</span>;
  if (SINCE_WORDS[stands]) {
    return (
      <span className="note" data-state={stands} data-testid="note">
        {since === null ? stands.replace("unheard", "no answer") : `${SINCE_WORDS[stands]} ${dayAndTime(since)}`}
      </span>
    );
  }
  if (paused) return <span className="note">paused</span>;
  if (stands !== "replayed") return null;
  return (
    <span className="note" data-state="replayed" title={replayPaused ? "The replay is paused, for all pages" : "This was recorded"}>
      {replayPaused ? "paused" : "replayed"}
    </span>
  );
}

/** Says that the server can't be reached, and what to do, where the page has nothing to show therefore. */
export function Unreachable() {
  const { connection, since } = useShape();
  if (connection !== "reconnecting" || since !== null) return null;
  return (
    <div className="problem" role="alert" data-testid="unreachable">
      <b>The server does not answer.</b> Check that Livetape runs, and that nothing between it and this browser holds
      WebSockets back. The page begins by itself as soon as it answers.
    </div>
  );
}

/** Says why the instrument that the page is about is not delivered, while it is not. */
export function Refusal() {
  const { chosen, refused } = useShape();
  if (!refused[chosen.id]) return null;
  return (
    <div className="problem" role="alert" data-testid="refusal">
      <b>{chosen.name} is not delivered:</b> {refused[chosen.id]}
    </div>
  );
}

/** Marks the page as live or not for the styles, and tells screen readers of changes. */
export function Announcer() {
  const { connection, paused } = useShape();
  useEffect(() => {
    document.documentElement.dataset.connection = connection;
    document.documentElement.toggleAttribute("data-paused", paused);
  }, [connection, paused]);
  return (
    <div role="status" className="sr-only">
      {CONNECTION_WORDS[connection]} {paused ? "The page is paused." : ""}
    </div>
  );
}
