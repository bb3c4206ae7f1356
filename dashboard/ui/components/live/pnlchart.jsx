// The PnL of the clients over time, drawn by plotly from what the store keeps. The look comes with the
// page, and only the page that has this chart loads plotly.

import { useContext, useLayoutEffect, useRef } from "react";
import { ColorModeContext } from "$/utils/context-registry";
import { usePainter } from "./hooks.js";
import { store } from "./store.js";

/** Draws in a place, anew when there are other points or the look is another. */
class Plot {
  constructor(plotly, place, { layout, config, colors, dashes }) {
    Object.assign(this, { plotly, place, layout, config, colors, dashes });
    this.version = 0;
    this.look = null;
    this.observer = new ResizeObserver(() => this.version && plotly.Plots.resize(place));
    this.observer.observe(place);
  }

  end() {
    this.observer.disconnect();
    this.plotly.purge(this.place);
  }

  draw(curves, look) {
    if (curves.version === this.version && look === this.look) return;
    [this.version, this.look] = [curves.version, look];
    const { layout } = this;
    const xaxis = { ...layout.xaxis, range: curves.range };
    this.plotly.react(this.place, this.traces(curves), { ...layout, xaxis, template: look }, this.config);
  }

  traces({ lines, range, step }) {
    return lines.map(({ label, values }, at) => ({
      name: label,
      x0: range[0],
      dx: step,
      y: values,
      line: { dash: this.dashes[Math.floor(at / this.colors)] },
    }));
  }
}

/** `looks` are plotly templates, `light` and `dark`; lines take their so many `colors` in turn, once with each dash. */
export function PnlChart({ looks, ...figure }) {
  const { resolvedColorMode } = useContext(ColorModeContext);
  const look = looks[resolvedColorMode === "light" ? "light" : "dark"];
  const place = useRef(null);
  const plot = useRef(null);

  // A layout effect because of its end: the library may not arrive when the place is gone.
  useLayoutEffect(() => {
    let ended = false;
    import("plotly.js-basic-dist-min").then((library) => {
      if (!ended) plot.current = new Plot(library.default ?? library, place.current, figure);
    });
    return () => {
      ended = true;
      plot.current?.end();
      plot.current = null;
    };
  }, []);

  usePainter(() => () => store.curves.version && plot.current?.draw(store.curves, look), [look]);

  return <div ref={place} style={{ width: "100%", height: "100%" }} />;
}
