// The feeds, a short table each.

import { useRef, useState } from "react";
import { FEED_ROWS } from "./figures.js";
import { NONE } from "./format.js";
import { setText, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";

export function Feeds() {
  const root = useRef(null);
  const [names, setNames] = useState([]);

  useSlowPainter(
    () => () => {
      const now = store.feeds.map((feed) => feed.name);
      if (now.join() !== names.join()) setNames(now);
      const cells = root.current.querySelectorAll("dd.figure");
      for (const [at, feed] of store.feeds.entries()) {
        for (const [row, [, show]] of FEED_ROWS.entries()) {
          const cell = cells[at * FEED_ROWS.length + row];
          if (cell) setText(cell, show(feed));
        }
      }
    },
    [names],
  );

  return (
    <div ref={root}>
      {names.length ? names.map((name) => <Feed key={name} name={name} />) : <p className="empty">No feed yet.</p>}
    </div>
  );
}

function Feed({ name }) {
  return (
    <dl className="facts">
      <dt>Source</dt>
      <dd>{name}</dd>
      {FEED_ROWS.map(([label]) => [
        <dt key={label}>{label}</dt>,
        <dd key={`${label} value`} className="figure">
          {NONE}
        </dd>,
      ])}
    </dl>
  );
}
