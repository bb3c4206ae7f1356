// How things stand: the pills of the status line, the clock, the notes in the
// panels' headers, and what a screen reader is told.

import { useEffect, useRef } from "react";
import { CONNECTION_WORDS, SILENT_MS, feedsState } from "./connection.js";
import { timeOfDay } from "./format.js";
import { setAttribute, setText, usePainter, useShape, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";

export function ConnectionPill() {
  const { connection } = useShape();
  return (
    <span className="pill" data-state={connection} title={CONNECTION_WORDS[connection]}>
      <span className="pill-label">Page</span>
      <span data-testid="connection" data-state={connection}>
        {connection}
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
      const heard = store.receivedAt > 0 && now - store.receivedAt < SILENT_MS;
      const all = heard ? feedsState(store.feeds.map((feed) => feed.state)) : names ? "unknown" : "waiting";
      setText(name.current, names || "feed");
      setAttribute(name.current, "title", names || null);
      setText(state.current, all);
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

export function UtcClock() {
  const element = useRef(null);
  usePainter(
    () => () => {
      setText(element.current, timeOfDay(Date.now()));
    },
    [],
  );
  return (
    <span className="clock figure">
      <span ref={element}>--:--:--</span> UTC
    </span>
  );
}

/** Why the numbers of a panel stand still, and since when; nothing while they are live. */
export function Note() {
  const { connection, paused, replayPaused } = useShape();
  if (connection === "connecting") return <span className="note">waiting</span>;
  if (connection !== "live") {
    return (
      <span className="note" data-state={connection}>
        <span className="sr-only">{connection} </span>
        since {timeOfDay(store.connectionSince)}
      </span>
    );
  }
  if (paused) return <span className="note">paused</span>;
  if (!replayPaused) return null;
  return (
    <span className="note" title="The replay is paused, for all pages">
      paused
    </span>
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
