// Takes the batches out of Reflex state, in order and each once, and carries
// what the page asks for back to the server.

import { useContext, useEffect, useLayoutEffect, useRef } from "react";
import { EventLoopContext } from "$/utils/context-registry";
import { store } from "./store.js";

export function LiveStream({ slots, sampleWindow, onReport, onFrequency, onPause, onChoose, onWatch, onReplay }) {
  const last = useRef({ g: 0, n: 0 });
  const [, connectErrors] = useContext(EventLoopContext);
  const socketDown = connectErrors.length > 0;

  useLayoutEffect(() => {
    const now = performance.now();
    const seen = last.current;
    const fresh = slots
      .filter((batch) => batch.g > seen.g || (batch.g === seen.g && batch.n > seen.n))
      .sort((a, b) => a.g - b.g || a.n - b.n);
    for (const batch of fresh) store.ingest(batch, now);
    if (fresh.length) {
      const { g, n } = fresh[fresh.length - 1];
      last.current = { g, n };
    }
  });

  useEffect(() => {
    store.socketDown = socketDown;
  }, [socketDown]);
  useEffect(() => store.setSampleWindow(Number(sampleWindow) || 200), [sampleWindow]);
  useEffect(() => {
    store.frames.onReport = onReport;
    store.actions = { frequency: onFrequency, pause: onPause, choose: onChoose, watch: onWatch, replay: onReplay };
  }, [onReport, onFrequency, onPause, onChoose, onWatch, onReplay]);
  return null;
}
