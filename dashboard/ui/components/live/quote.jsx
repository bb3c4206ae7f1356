// The best bid and offer of the chosen instrument, its spread and its theoretical price.

import { useRef } from "react";
import { QUOTE } from "./columns.js";
import { NONE, basisPoints, decimal, signed } from "./format.js";
import { setAttribute, setText, useCountedPainter } from "./hooks.js";
import { store } from "./store.js";

function writeValue(element, value, text) {
  setText(element, text);
  setAttribute(element, "data-value", Number.isFinite(value) ? value : null);
}

function write(cells, quote, { decimals, theo }) {
  const bid = quote?.[QUOTE.bid] ?? NaN;
  const ask = quote?.[QUOTE.ask] ?? NaN;
  const mid = (bid + ask) / 2;
  const spread = ask - bid;
  writeValue(cells.bid, bid, decimal(bid, decimals));
  writeValue(cells.ask, ask, decimal(ask, decimals));
  setText(cells.bidSize, quote ? sizeText(quote[QUOTE.bid], quote[QUOTE.bidSize]) : NONE);
  setText(cells.askSize, quote ? sizeText(quote[QUOTE.ask], quote[QUOTE.askSize]) : NONE);
  setText(cells.spread, decimal(spread, decimals));
  setText(cells.points, basisPoints(spread, mid));
  setText(cells.mid, decimal(mid, decimals + 1));
  writeValue(cells.theo, theo ?? NaN, theo === null ? NONE : decimal(theo, decimals + 1));
  setText(cells.edge, theo === null ? NONE : signed(theo - mid, decimals + 1));
}

function sizeText(price, size) {
  return price === null ? "no orders" : store.market.sizesOf(store.market.chosen.id).text(size);
}

export function QuotePanel() {
  const root = useRef(null);

  useCountedPainter("beat", () => {
    const cells = {};
    for (const element of root.current.querySelectorAll("[data-cell]")) cells[element.dataset.cell] = element;
    let painted = -1;
    return () => {
      if (store.market.detail.version === painted) return;
      painted = store.market.detail.version;
      write(cells, store.market.detail.quote(), store.market.detail);
    };
  }, []);

  return (
    <div className="quote" ref={root}>
      <div className="quote-sides">
        <Side side="bid" label="Best bid" />
        <Side side="ask" label="Best ask" />
      </div>
      <dl className="facts">
        <Fact label="Spread" cell="spread" title="Best ask minus best bid." />
        <Fact label="Spread in bp" cell="points" title="The spread in hundredths of a percent of the mid price." />
        <Fact label="Mid" cell="mid" title="Halfway between best bid and best ask." />
        <Fact label="Theoretical" cell="theo" title="The price of the underlying as the exchange computes it." />
        <Fact label="Theoretical − mid" cell="edge" title="Positive where the market is below the theoretical price." />
      </dl>
    </div>
  );
}

function Side({ side, label }) {
  return (
    <div className="quote-side" data-side={side}>
      <span className="quote-label">{label}</span>
      <b className="figure" data-cell={side} data-testid={`best-${side}`}>
        {NONE}
      </b>
      <span className="figure quote-size">
        <span className="sr-only">volume </span>
        <span data-cell={`${side}Size`}>{NONE}</span>
      </span>
    </div>
  );
}

function Fact({ label, cell, title }) {
  return (
    <>
      <dt title={title}>{label}</dt>
      <dd className="figure" data-cell={cell} data-testid={`quote-${cell}`}>
        {NONE}
      </dd>
    </>
  );
}
