// The one update interval of all clients: a field, a logarithmic slider, presets.

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { MAX_MS, MIN_MS, clamped, fromSlider, parsed, pushText, toSlider } from "./frequency.js";
import { useShape } from "./hooks.js";
import { NEEDS_CONTROL, NEEDS_SERVER } from "./scopes.js";
import { store } from "./store.js";

const PRESETS = [10, 20, 50, 100, 250, 1000];
const TYPED_MS = 300;
const DRAGGED_MS = 100;
const EDITED_MS = 1500;

/** Sends the setting; a later call replaces one that still waits. */
class Sender {
  constructor() {
    this.timer = 0;
    this.wanted = null;
  }

  send(ms, wait) {
    this.wanted = ms;
    if (wait && this.timer && this.throttled) return;
    clearTimeout(this.timer);
    this.throttled = wait === DRAGGED_MS;
    this.timer = setTimeout(() => this.flush(), wait);
  }

  flush() {
    this.stop();
    if (this.wanted !== null) store.actions.frequency?.(this.wanted);
    this.wanted = null;
  }

  drop() {
    this.stop();
    this.wanted = null;
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
  }
}

export function Frequency() {
  const { mayControl, reachable, frequencyMs, intervalMs } = useShape();
  const off = mayControl ? {} : { disabled: true, title: NEEDS_CONTROL };
  const field = useRef(null);
  const slider = useRef(null);
  const sender = useRef(null);
  const edited = useRef({ field: 0, slider: 0, dirty: false, stepped: false });
  const [hint, setHint] = useState("");
  sender.current ??= new Sender();

  // Show what is in force, unless someone is typing or dragging. A layout effect
  // because of its end: the timer may not find the elements gone.
  useLayoutEffect(() => {
    if (!frequencyMs) return undefined;
    const show = () => {
      const now = performance.now();
      const busy = document.activeElement === field.current && now - edited.current.field < EDITED_MS;
      if (!busy && Number(field.current.value) !== frequencyMs) field.current.value = frequencyMs;
      if (now - edited.current.slider > EDITED_MS) slider.current.value = toSlider(frequencyMs);
    };
    show();
    const timer = setInterval(show, 500);
    return () => clearInterval(timer);
  }, [frequencyMs]);
  useEffect(() => () => sender.current.stop(), []);

  // What was typed and not sent yet is not sent later either: what is in force stands there again.
  useEffect(() => {
    if (reachable) return;
    sender.current.drop();
    edited.current = { field: 0, slider: 0, dirty: false, stepped: false };
    if (frequencyMs) field.current.value = frequencyMs;
    setHint("");
  }, [reachable]);

  const typed = () => {
    edited.current.field = performance.now();
    edited.current.dirty = true;
    setHint("");
    sender.current.stop();
    const ms = parsed(field.current.value);
    if (ms !== null && ms === clamped(ms)) sender.current.send(ms, edited.current.stepped ? DRAGGED_MS : TYPED_MS);
  };
  const settle = () => {
    if (!edited.current.dirty) return;
    edited.current.dirty = false;
    const ms = parsed(field.current.value);
    if (ms === null) {
      field.current.value = frequencyMs || "";
      return;
    }
    const allowed = clamped(ms);
    if (allowed !== ms) {
      field.current.value = allowed;
      setHint(`${ms} ms is ${ms < MIN_MS ? "below" : "above"} what is allowed; set to ${allowed} ms.`);
    }
    edited.current.field = 0;
    sender.current.stop();
    if (allowed !== frequencyMs) sender.current.send(allowed, 0);
  };
  const pressed = (event) => {
    edited.current.stepped = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (event.key === "Enter") settle();
  };
  const choose = (ms) => {
    setHint("");
    edited.current = { field: 0, slider: 0, dirty: false, stepped: false };
    field.current.value = ms;
    slider.current.value = toSlider(ms);
    sender.current.send(ms, 0);
  };
  const dragged = () => {
    const ms = fromSlider(Number(slider.current.value));
    edited.current = { field: 0, slider: performance.now(), dirty: false, stepped: false };
    field.current.value = ms;
    setHint("");
    sender.current.send(ms, DRAGGED_MS);
  };

  return (
    <div className="frequency">
      <div className="row">
        <label htmlFor="freq">Update interval</label>
        <span className="with-unit">
          <input
            ref={field}
            id="freq"
            type="number"
            inputMode="numeric"
            min={MIN_MS}
            max={MAX_MS}
            step={1}
            aria-describedby="freq-hint"
            {...off}
            onInput={typed}
            onBlur={settle}
            onKeyDown={pressed}
          />
          ms
        </span>
      </div>
      <input
        ref={slider}
        type="range"
        min={0}
        max={100}
        step={0.5}
        defaultValue={toSlider(50)}
        aria-label="Update interval, logarithmic"
        aria-valuetext={`${frequencyMs} ms`}
        {...off}
        onInput={dragged}
      />
      <div className="presets" role="group" aria-label="Update interval in ms">
        {PRESETS.map((ms) => (
          <button key={ms} type="button" aria-pressed={ms === frequencyMs} {...off} onClick={() => choose(ms)}>
            {ms}
          </button>
        ))}
      </div>
      <p id="freq-hint" className="hint" role="status">
        {reachable ? hint || pushText(frequencyMs, intervalMs) : NEEDS_SERVER} {mayControl ? "" : NEEDS_CONTROL}
      </p>
    </div>
  );
}
