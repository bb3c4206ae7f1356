// The last price of the chosen instrument, and whether it went up or down.

import { useRef } from "react";
import { NONE, decimal } from "./format.js";
import { setAttribute, setText, useCountedPainter } from "./hooks.js";
import { store } from "./store.js";

export function LastPrice() {
  const element = useRef(null);

  useCountedPainter("beat", () => {
    let shown;
    let id = "";
    return () => {
      const series = store.market.series.get(store.market.chosen.id);
      const last = series?.last;
      if (last === shown && id === store.market.detail.id) return;
      const [root, text] = [element.current, element.current.lastChild];
      const direction = id === store.market.detail.id && shown !== undefined ? (last > shown ? "up" : "down") : null;
      id = store.market.detail.id;
      shown = last;
      setText(text, decimal(last, store.market.chosen.decimals));
      setAttribute(root, "data-direction", direction);
      setAttribute(text, "data-value", last ?? null);
    };
  }, []);

  return (
    <span className="last" ref={element}>
      <i className="mark" aria-hidden="true" />
      <b className="figure" data-testid="last-price">
        {NONE}
      </b>
    </span>
  );
}
