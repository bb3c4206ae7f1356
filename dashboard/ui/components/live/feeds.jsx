// The feeds, a short table each.

import { Fragment, useRef, useState } from "react";
import { SILENT_MS } from "./connection.js";
import { FEED_ROWS } from "./figures.js";
import { NONE } from "./format.js";
import { setText, useSlowPainter } from "./hooks.js";
import { isReplay } from "./playback.js";
import { Replay } from "./replay.jsx";
import { store } from "./store.js";

export function Feeds() {
  const root = useRef(null);
  const [feeds, setFeeds] = useState([]);

  useSlowPainter(
    () => (now) => {
      const known = store.feeds.map((feed) => [feed.name, isReplay(feed)]);
      if (known.join() !== feeds.join()) setFeeds(known);
      const heard = now - store.receivedAt <= SILENT_MS;
      const cells = root.current.querySelectorAll("dd.figure");
      for (const [at, feed] of store.feeds.entries()) {
        for (const [row, [, show]] of FEED_ROWS.entries()) {
          const cell = cells[at * FEED_ROWS.length + row];
          if (cell) setText(cell, show(feed, heard));
        }
      }
    },
    [feeds],
  );

  return (
    <div className="feeds" ref={root}>
      {feeds.length ? null : <p className="empty">No feed yet.</p>}
      {feeds.map(([name, replayed]) => (
        <Fragment key={name}>
          <Feed name={name} />
          {replayed && <Replay name={name} />}
        </Fragment>
      ))}
    </div>
  );
}

function Feed({ name }) {
  return (
    <dl className="facts">
      {FEED_ROWS.map(([label]) => (
        <Fragment key={label}>
          <dt>{label || name}</dt>
          <dd className="figure">{NONE}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
