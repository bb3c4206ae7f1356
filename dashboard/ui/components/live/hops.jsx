// Where the time goes: the median of each hop from the source to the screen.

import { useRef } from "react";
import { NONE, milliseconds } from "./format.js";
import { setText, useSlowPainter } from "./hooks.js";
import { isReplay } from "./playback.js";
import { percentile } from "./statistics.js";
import { store } from "./store.js";

const HOPS = [
  ["source to hub", () => median(store.measurements.hops.sourceToHub), "From the source's time of the event to its arrival in the hub."],
  ["hub to sent", () => median(store.measurements.hops.hubToSent), "From the hub to the sending of the push; the newest event of each push."],
  ["sent to received", () => median(store.measurements.hops.sentToReceived), "From the sending of the push to the page's code."],
  ["received to painted", () => store.measurements.latencies.newest?.p50, "From the page's code to the end of the frame."],
];

function median(ring) {
  return ring.length ? percentile(ring.sorted(), 0.5) : undefined;
}

function clockText() {
  const best = store.clock.best();
  if (!best) return "The clocks of server and page have not been compared yet.";
  const offset = store.clock.applied();
  const found = `Server clock ${milliseconds(best.offset)} ms ahead, round trip ${milliseconds(best.rtt)} ms`;
  return offset ? `${found}; taken into account.` : `${found}; within the round trip, so not applied.`;
}

export function Hops() {
  const root = useRef(null);

  useSlowPainter(() => {
    const bars = [...root.current.querySelectorAll(".hop-bar i")];
    const texts = [...root.current.querySelectorAll(".hop .figure")];
    const sum = root.current.querySelector(".hop-sum");
    const sent = root.current.querySelectorAll(".hop")[2];
    return () => {
      const replayed = store.feeds.length > 0 && store.feeds.every(isReplay);
      const values = HOPS.map(([, read], at) => (at === 0 && replayed ? undefined : read()));
      const known = values.map((value) => Math.max(0, value ?? 0));
      const all = known.reduce((a, b) => a + b, 0);
      for (const [at, value] of values.entries()) {
        bars[at].style.flexGrow = all ? (known[at] / all).toFixed(4) : "0";
        setText(texts[at], value === undefined ? NONE : milliseconds(value));
      }
      setText(sum, all ? `${milliseconds(all)} ms` : NONE);
      sent.title = `${HOPS[2][2]} ${clockText()}`;
    };
  }, []);

  return (
    <div className="hops" ref={root}>
      <div className="hop-title">
        Source to painted, median by hop <b className="figure hop-sum">{NONE}</b>
      </div>
      <div className="hop-bar" aria-hidden="true">
        {HOPS.map(([name]) => (
          <i key={name} />
        ))}
      </div>
      <div className="hop-list">
        {HOPS.map(([name, , definition]) => (
          <span className="hop" key={name} title={definition}>
            <i aria-hidden="true" />
            {name} <b className="figure">{NONE}</b>
          </span>
        ))}
      </div>
    </div>
  );
}
