// Takes the batches out of Reflex state, in order and each once, and carries
// what the page asks for back to the server.

import { useContext, useEffect, useLayoutEffect } from "react";
import { EventLoopContext } from "$/utils/context-registry";
import { store } from "./store.js";

export function LiveStream({ slots, sampleWindow, onReport, onFrequency, onPause, onChoose, onWatch, onBars, onList, onReplay }) {
  const [, connectErrors] = useContext(EventLoopContext);
  const socketDown = connectErrors.length > 0;

  useLayoutEffect(() => {
    const now = performance.now();
    for (const batch of store.awaited(slots)) store.ingest(batch, now);
  });

  useEffect(() => {
    store.socketDown = socketDown;
  }, [socketDown]);
  useEffect(() => store.setSampleWindow(Number(sampleWindow) || 200), [sampleWindow]);
  useEffect(() => {
    store.frames.onReport = onReport;
    store.actions = {
      frequency: onFrequency,
      pause: onPause,
      choose: onChoose,
      watch: onWatch,
      bars: onBars,
      list: onList,
      replay: onReplay,
    };
  }, [onReport, onFrequency, onPause, onChoose, onWatch, onBars, onList, onReplay]);
  return null;
}
