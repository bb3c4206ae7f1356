// The watchlist: a card per symbol. React renders when the list changes;
// all that moves is drawn and written by painters.

import { useEffect, useRef } from "react";
import { CardPainter } from "./card.js";
import { useShape } from "./hooks.js";
import { addressOf } from "./instruments.js";
import { PageLink } from "./link.jsx";
import { cardQueue } from "./paintqueue.js";
import { BASIS_TITLES } from "./series.js";
import { store } from "./store.js";

/** More symbols than this stand in two rows of compact cards; more than MANY scroll. */
const FEW = 5;
const MANY = 10;
/** Decimals of a price from which on the tape needs more room, as it does for many symbols. */
const FINE = 6;

export function Cards() {
  const { watched, chosen, refused, stands } = useShape();
  useEffect(() => store.frames.add((now) => cardQueue.paint(now)), []);
  useEffect(() => {
    const root = document.documentElement;
    root.toggleAttribute("data-compact", watched.length > FEW);
    const namesakes = watched.some(({ name, symbol }) => name !== symbol);
    root.toggleAttribute("data-namesakes", namesakes);
    root.toggleAttribute("data-dense", watched.length > FEW || namesakes || watched.some(({ decimals }) => decimals >= FINE));
  }, [watched]);
  if (!watched.length) return <p className="empty">{emptyText(stands)}</p>;
  return (
    <div className="cards" {...layout(watched.length)} role="group" aria-label="Watchlist">
      {watched.map((each) => (
        <Card key={each.id} instrument={each} chosen={each.id === chosen.id} refused={refused[each.id]} />
      ))}
    </div>
  );
}

function layout(count) {
  return {
    "data-compact": count > FEW ? "" : undefined,
    "data-many": count > MANY ? "" : undefined,
    style: { "--columns": Math.min(Math.ceil(count / 2), FEW) },
  };
}

/** How many of the feeds' symbols the watchlist shows. */
export function WatchedCount() {
  const { watched, known } = useShape();
  return <span>{known ? `${watched.length} of ${known} symbols` : ""}</span>;
}

function emptyText(stands) {
  if (stands === "connecting") return "Waiting for the stream to begin.";
  return stands === "unheard" ? "The server does not answer." : "No symbols on the watchlist. Add some with Edit.";
}

function Card({ instrument, chosen, refused }) {
  const { id, symbol, exchange, name } = instrument;
  const element = useRef(null);

  useEffect(() => {
    const painter = new CardPainter(element.current, id);
    const ends = [
      store.frames.add((now) => painter.draw(now)),
      store.frames.add((now) => painter.write(now), { writes: true }),
    ];
    return () => {
      for (const end of ends) end();
      painter.end();
    };
  }, [id]);

  return (
    <div className="card-place">
      <button
        ref={element}
        type="button"
        className="card"
        data-testid="symbol-card"
        data-id={id}
        data-symbol={symbol}
        aria-pressed={chosen}
        title={refused ? `${name} is not delivered: ${refused}` : `Show the order book of ${name}`}
        onClick={() => store.choose(id)}
      >
        <span className="card-head" title={`${symbol} ${exchange}`}>
          <span className="symbol">{symbol}</span> <span className="venue">{exchange}</span>{" "}
          <span className="basis" title={BASIS_TITLES.mid} hidden>
            mid
          </span>
        </span>
        <canvas aria-hidden="true" />
        <span className="price" data-testid="price">
          —
        </span>
        <span className="change">
          <i className="mark" aria-hidden="true" />
          <span className="change-text">
            <span className="change-value" />
            <span className="change-share">{refused ? `not delivered: ${refused}` : "no price yet"}</span>
            <span className="change-window" />
          </span>
        </span>
        <span className="stats">
          <span>
            mean <b className="figure">—</b>
          </span>
          <span>
            p50 <b className="figure">—</b>
          </span>
          <span>
            p95 <b className="figure">—</b>
          </span>
        </span>
      </button>
      <PageLink
        href={addressOf(id)}
        className="card-link"
        aria-label={`Open the page of ${name}`}
        title={`Open the page of ${name}`}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M6 4h6v6M12 4l-8 8" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" />
        </svg>
      </PageLink>
    </div>
  );
}
