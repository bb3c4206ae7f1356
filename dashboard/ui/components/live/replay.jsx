// The controls of a replay: it pauses, plays and moves for all pages.

import { useEffect, useRef, useState } from "react";
import { dayOf, timeOfDay } from "./format.js";
import { setAttribute, setText, useShape, useSlowPainter } from "./hooks.js";
import { SPEEDS, placeText, positionNow, seekStep, speedText } from "./playback.js";
import { NEEDS_CONTROL } from "./scopes.js";
import { store } from "./store.js";

const SETTLE_MS = 200;
const EDITED_MS = 1500;
const OVER = new Set(["ended", "failed"]);

const told = (name) => store.feeds.find((feed) => feed.name === name);

export function Replay({ name }) {
  const toggle = useRef(null);
  const slider = useRef(null);
  const rate = useRef(null);
  const text = useRef(null);
  const recorded = useRef(null);
  const note = useRef(null);
  const moved = useRef({ at: -EDITED_MS, timer: 0 });
  const [speed, setSpeed] = useState(1);
  const { mayControl } = useShape();
  const needs = mayControl ? undefined : NEEDS_CONTROL;
  const control = (what, value = 0) => store.actions.replay?.(name, what, value);

  useSlowPainter(
    () => (now) => {
      const feed = told(name);
      if (!feed) return;
      setText(toggle.current, feed.paused ? "Play replay" : "Pause replay");
      for (const { current } of [toggle, slider, rate]) current.disabled = !mayControl || OVER.has(feed.state);
      setSpeed(feed.speed);
      setText(note.current, feed.note || needs || "");
      setAttribute(slider.current, "max", feed.duration_s);
      setAttribute(slider.current, "step", seekStep(feed.duration_s));
      if (now - moved.current.at < EDITED_MS) return;
      const place = positionNow(feed, (now - store.sources.at) / 1000);
      slider.current.value = place;
      write(place, feed);
    },
    [name, mayControl],
  );
  useEffect(() => () => clearTimeout(moved.current.timer), []);

  const write = (place, feed) => {
    const words = `${placeText(place)} / ${placeText(feed.duration_s)}`;
    const ms = feed.began_ms + 1000 * place;
    const moment = `${dayOf(ms)} ${timeOfDay(ms)}`;
    setText(text.current, words);
    setText(recorded.current, moment);
    setAttribute(text.current, "data-value", place.toFixed(2));
    setAttribute(slider.current, "aria-valuetext", `${words.replace("/", "of")}, recorded ${moment} UTC`);
  };
  const seek = () => {
    const place = Number(slider.current.value);
    clearTimeout(moved.current.timer);
    moved.current = { at: performance.now(), timer: setTimeout(() => control("seek", place), SETTLE_MS) };
    write(place, told(name));
  };
  const speeds = SPEEDS.includes(speed) ? SPEEDS : [speed, ...SPEEDS];

  return (
    <div className="replay" role="group" aria-label="Replay, for all pages">
      <div className="row">
        <button
          ref={toggle}
          type="button"
          data-testid="replay-toggle"
          title={needs ?? "Pause or play the recording, for all pages and clients"}
          onClick={() => control(told(name)?.paused ? "resume" : "pause")}
        >
          Pause replay
        </button>
        <select
          ref={rate}
          id={`speed-${name}`}
          aria-label="Replay speed"
          data-testid="replay-speed"
          title={needs}
          value={speed}
          onChange={(event) => control("speed", Number(event.target.value))}
        >
          {speeds.map((each) => (
            <option key={each} value={each}>
              {speedText(each)}
            </option>
          ))}
        </select>
      </div>
      <div className="row">
        <label htmlFor={`place-${name}`}>Position</label>
        <span ref={text} className="figure" data-testid="replay-position">
          —
        </span>
      </div>
      <div className="row">
        <span>Recorded</span>
        <span ref={recorded} className="figure" data-testid="replay-recorded">
          —
        </span>
      </div>
      <input
        ref={slider}
        id={`place-${name}`}
        type="range"
        min={0}
        max={1}
        step="any"
        defaultValue={0}
        data-testid="replay-seek"
        title={needs}
        onInput={seek}
      />
      <p ref={note} className="hint" data-testid="replay-note" />
    </div>
  );
}
