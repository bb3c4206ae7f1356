// The price of the chosen instrument, what it is, and whether it went up or down.

import { useRef } from "react";
import { NONE, decimal } from "./format.js";
import { setAttribute, setText, useCountedPainter } from "./hooks.js";
import { BASIS_TITLES, LAST } from "./series.js";
import { store } from "./store.js";

export function LastPrice() {
  const element = useRef(null);
  const basis = useRef(null);

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
      if (basis.current.dataset.basis !== series?.basis) writeBasis(basis.current, series?.basis ?? LAST);
      setText(text, decimal(last, store.market.chosen.decimals));
      setAttribute(root, "data-direction", direction);
      setAttribute(text, "data-value", last ?? null);
    };
  }, []);

  return (
    <>
      <span className="basis" data-testid="price-basis" title={BASIS_TITLES[LAST]} ref={basis}>
        Last
      </span>
      <span className="last" ref={element}>
        <i className="mark" aria-hidden="true" />
        <b className="figure" data-testid="last-price">
          {NONE}
        </b>
      </span>
    </>
  );
}

function writeBasis(element, basis) {
  element.dataset.basis = basis;
  element.title = BASIS_TITLES[basis];
  setText(element, basis === LAST ? "Last" : "Mid");
}
