// Takes the batches out of Reflex state, in order and each once.

import { useEffect, useLayoutEffect, useRef } from "react";
import { store } from "./store.js";

export function LiveStream({ slots, sampleWindow, onReport }) {
  const last = useRef({ g: 0, n: 0 });

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

  useEffect(() => store.setSampleWindow(sampleWindow), [sampleWindow]);
  useEffect(() => {
    store.frames.onReport = onReport;
    return store.frames.add(() => {
      const canvas = document.getElementById("c");
      const ctx = canvas.getContext("2d");
      ctx.clearRect(0, 0, 800, 300);
      let y = 0;
      for (const [s, { prices }] of store.series) {
        ctx.beginPath();
        let lo = Infinity, hi = -Infinity;
        for (let i = 0; i < prices.length; i++) { const v = prices.at(i); lo = Math.min(lo, v); hi = Math.max(hi, v); }
        for (let i = 0; i < prices.length; i++) ctx.lineTo(i * 3, y + 50 - 50 * (prices.at(i) - lo) / (hi - lo || 1));
        ctx.stroke();
        y += 55;
      }
      ctx.fillText(`${store.total} ${store.fps.last()}`, 10, 290);
    });
  }, [onReport]);
  return null;
}
