// Takes the batches out of Reflex state, in order and each once, and carries
// what the page asks for back to the server. It hears of the state itself, as the components do that
// Reflex makes, and draws nothing: React has no part in a push.

import { useContext, useEffect, useLayoutEffect } from "react";
import { EventLoopContext, StateStoreContext } from "$/utils/context-registry";
import { signInIfAsked } from "./session.js";
import { store } from "./store.js";

export function LiveStream({ state, onReport, ...handlers }) {
  const { onTook, onMissed, onHide, onFrequency, onPause, onChoose, onWatch, onBars, onFind, onReplay } = handlers;
  const states = useContext(StateStoreContext);
  const [, connectErrors] = useContext(EventLoopContext);
  const socketDown = connectErrors.length > 0;

  // Before the first batch is taken in, as it is answered.
  useLayoutEffect(() => {
    store.frames.onReport = onReport;
    store.actions = {
      took: onTook,
      missed: onMissed,
      hide: onHide,
      frequency: onFrequency,
      pause: onPause,
      choose: onChoose,
      watch: onWatch,
      bars: onBars,
      find: onFind,
      replay: onReplay,
    };
  }, [onReport, onTook, onMissed, onHide, onFrequency, onPause, onChoose, onWatch, onBars, onFind, onReplay]);

  useLayoutEffect(() => {
    const take = () => {
      const now = performance.now();
      for (const batch of store.arrivals.awaited(Object.values(states.getSnapshot(state)))) store.ingest(batch, now);
    };
    take();
    return states.subscribe(state, take);
  }, [states, state]);

  // With each attempt that fails there are other errors.
  useEffect(() => {
    store.socketDown = socketDown;
    if (socketDown) signInIfAsked();
  }, [connectErrors]);
  return null;
}
