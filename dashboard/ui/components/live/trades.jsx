// The last trades of the chosen instrument, newest on top, with who bought and sold.

import { useRef } from "react";
import { decimal } from "./format.js";
import { setAttribute, setText, useCountedPainter, useShape, useSlowPainter } from "./hooks.js";
import { Column, turn } from "./rows.js";
import { store } from "./store.js";
import { markTime, tradeTime, writeTimeHead } from "./tradetimes.js";
import { emptyText } from "./waiting.js";

const SHOWN = 40;

function createRow() {
  const row = document.createElement("div");
  row.className = "fill";
  row.setAttribute("role", "row");
  row.dataset.testid = "trade-row";
  row.innerHTML =
    '<span role="cell" class="time"><span></span><span class="ms"></span></span>' +
    '<span role="cell" class="figure"></span>' +
    '<span role="cell" class="trade-price"><i class="mark" aria-hidden="true"></i>' +
    '<span class="sr-only"></span><span class="figure"></span></span>' +
    '<span role="cell" class="party"></span><span role="cell" class="party"></span>';
  const [time, size, price, buyer, seller] = row.children;
  const [clock, ms] = time.children;
  return { row, clock, ms, size, word: price.children[1], price: price.children[2], buyer, seller, trade: null };
}

function writeRow(parts, trades, at, columns) {
  const trade = trades[at];
  const sizes = store.market.sizesOf(trade.instrument.id);
  if (parts.trade === trade && parts.sizeDecimals === sizes.decimals) return;
  parts.trade = trade;
  parts.sizeDecimals = sizes.decimals;
  const buy = trade.side > 0;
  parts.row.dataset.side = buy ? "buy" : "sell";
  parts.row.title = markTime(parts.row, trades, at);
  const time = tradeTime(trade);
  setText(parts.clock, time.slice(0, 8));
  setText(parts.ms, time.slice(8));
  const [price, size] = [decimal(trade.price, trade.instrument.decimals), sizes.text(trade.size)];
  setText(parts.size, size);
  setText(parts.word, buy ? "buyer took " : "seller took ");
  setText(parts.price, price);
  columns.price.fit(price);
  columns.size.fit(size);
  for (const side of ["buyer", "seller"]) {
    setText(parts[side], trade[side] ?? "");
    setAttribute(parts[side], "title", trade[side] ?? null);
  }
}

export function LastTrades() {
  const { chosen } = useShape();
  const list = useRef(null);
  const head = useRef(null);
  const empty = useRef(null);
  const table = useRef(null);

  useCountedPainter("trades", () => {
    const rows = [];
    const columns = { price: new Column(table.current, "price"), size: new Column(table.current, "size") };
    let seen = -1;
    let version = -1;
    list.current.replaceChildren();
    return () => {
      const count = Math.min(SHOWN, store.market.trades.length);
      const dated = version === store.sources.version;
      if (seen === store.market.tradesSeen && rows.length === count && dated) return;
      version = store.sources.version;
      if (!dated) for (const parts of rows) parts.trade = null;
      turn(rows, list.current, { count, fresh: store.market.tradesSeen - seen, createRow });
      seen = store.market.tradesSeen;
      const { trades } = store.market;
      for (let i = 0; i < count; i += 1) writeRow(rows[i], trades, i, columns);
      writeTimeHead(head.current, trades[0]);
      empty.current.hidden = count > 0;
      const named = store.market.trades.some((trade) => trade.buyer || trade.seller);
      setAttribute(table.current, "data-named", named ? "" : null);
    };
  }, []);

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      if (!empty.current.hidden) setText(empty.current, emptyText("trades", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen]);

  return (
    <div className="fills" role="table" aria-label="Last trades, newest first" ref={table}>
      <div role="rowgroup">
        <div className="fill head" role="row">
          <span role="columnheader" className="time" ref={head}>
            Time (UTC)
          </span>
          <span role="columnheader">Volume</span>
          <span role="columnheader">Price</span>
          <span role="columnheader" className="party">
            Buyer
          </span>
          <span role="columnheader" className="party">
            Seller
          </span>
        </div>
      </div>
      <p className="empty" ref={empty}>
        Waiting for the stream to begin.
      </p>
      <div role="rowgroup" className="fill-list" tabIndex={0} aria-label="Last trades" ref={list} />
    </div>
  );
}
