// What the times on a chart's axis are: those of now, or those at which a recording was played.

import { useRef } from "react";
import { setAttribute, setText, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";

const PLAYED = "When it was played, in UTC: the chart runs on with the clock of now, whatever was recorded when";

export function TimeUnit() {
  const element = useRef(null);
  useSlowPainter(
    () => () => {
      const replayed = store.sources.isReplayed(store.market.chosen);
      setText(element.current, replayed ? "played" : "UTC");
      setAttribute(element.current, "title", replayed ? PLAYED : null);
    },
    [],
  );
  return (
    <span className="time-unit" data-testid="time-unit" ref={element}>
      UTC
    </span>
  );
}
