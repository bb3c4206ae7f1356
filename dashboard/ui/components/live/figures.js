// The single numbers of the page, by name: where each is read, and how it is written.

import { LOAD } from "./columns.js";
import { age, decimal, integer, timeOfDay } from "./format.js";

const percent = (value) => `${decimal(value, 1)} %`;
const tenths = (value) => decimal(value, 1);
const perSecond = (value) => `${decimal(value, 1)} /s`;
const mine = (read, show) => ({ read, show });
const onBeat = (read, show) => ({ read, show, counter: "beat" });

/** `counter` says on which counter of the cadence a figure is looked at; `slow` by default. */
export const FIGURES = {
  total: onBeat(({ measurements }) => measurements.total, integer),
  rate: mine(({ measurements }) => measurements.rateNow?.messages, integer),
  pushes: mine(({ measurements }) => measurements.rateNow?.pushes, perSecond),
  fps: mine(({ measurements }) => measurements.fps.last(), tenths),
  "latency-mean": mine(({ measurements }) => measurements.latencies.newest?.mean, tenths),
  "latency-p50": mine(({ measurements }) => measurements.latencies.newest?.p50, tenths),
  "latency-p95": mine(({ measurements }) => measurements.latencies.newest?.p95, tenths),
  "all-mean": mine(({ measurements }) => measurements.latencies.all?.mean, tenths),
  "all-p50": mine(({ measurements }) => measurements.latencies.all?.p50, tenths),
  "all-p95": mine(({ measurements }) => measurements.latencies.all?.p95, tenths),
  drops: mine(({ measurements }) => measurements.lost + measurements.missed, integer),
  conflated: mine(({ measurements }) => measurements.conflated, integer),
  lost: mine(({ measurements }) => measurements.lost, integer),
  missed: mine(({ measurements }) => measurements.missed, integer),
  messages: onBeat((store) => store.market.detail.messages, integer),
  books: onBeat((store) => store.market.detail.counts.books, integer),
  trades: onBeat((store) => store.market.detail.counts.trades, integer),
  cpu: mine((store) => store.system?.[LOAD.cpuPct], percent),
  memory: mine((store) => store.system?.[LOAD.memMb], (value) => `${integer(value)} MB`),
  "server-rate": mine((store) => store.system?.[LOAD.msgRate], (value) => `${integer(value)} /s`),
};

/**
 * The rows of one feed: label, and how its value is written, also when the server is not `heard` any
 * more. Without a label it stands beside the feed's name.
 */
export const FEED_ROWS = [
  ["", (feed, heard) => (heard ? stateText(feed) : "unknown")],
  ["Last event", lastEventText],
  ["Events", (feed) => integer(feed.events)],
  ["Gaps, skipped", (feed) => `${integer(feed.gaps)}, ${integer(feed.skipped)}`],
];

function stateText({ state, paused }) {
  return paused ? `${state}, paused` : state;
}

function lastEventText({ last_event_age_s: seconds, last_event_ms: ms }, heard) {
  if (seconds === null) return "none yet";
  return heard ? `${age(seconds)} ago` : `at ${timeOfDay(ms)}`;
}
