// Bars of the chosen instrument as candles, by TradingView's Lightweight Charts. The
// server makes the bars; an interval of which there is none is empty. The chart follows
// the newest bar for as long as that is in sight.

import { useLayoutEffect, useReducer, useRef } from "react";
import { INTERVALS, emptyBetween } from "./bars.js";
import { driveByKeys } from "./chartkeys.js";
import { colorsVersion, themeColors } from "./colors.js";
import { BAR } from "./columns.js";
import { decimal, timeOfDay } from "./format.js";
import { setParts, setText, usePainter, useShape, useSlowPainter } from "./hooks.js";
import { store } from "./store.js";
import { TimeUnit } from "./timeunit.jsx";
import { emptyText } from "./waiting.js";

const EVERY_MS = 100;
/** Decimals down to which the library divides an axis. */
const FINEST = 17;
/** The crosshair goes where the pointer is, and does not jump to prices. */
const FREE = 0;
const DASHED = 2;
/** Bars' widths between the newest bar and the right edge, as a chart begins. */
const REST = 3;
/** So much of a bar's width may the newest bar be out of sight. */
const HIDDEN = 0.5;

function optionsOf(colors) {
  const line = { color: colors.line };
  const crosshair = { color: colors.muted, labelBackgroundColor: colors.faint };
  return {
    autoSize: true,
    layout: {
      background: { color: colors.panel },
      textColor: colors.faint,
      fontFamily: colors.sans,
      fontSize: 11,
      attributionLogo: true,
    },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      secondsVisible: true,
      rightOffset: REST,
      barSpacing: 7,
      rightBarStaysOnScroll: true,
    },
    crosshair: { mode: FREE, vertLine: crosshair, horzLine: crosshair },
    handleScroll: { vertTouchDrag: false },
  };
}

/** The axis divides by powers of ten well, by ticks such as 0.05 badly. */
function seriesOptions(colors, { decimals }) {
  return {
    upColor: colors.up,
    wickUpColor: colors.up,
    borderUpColor: colors.up,
    downColor: colors.panel,
    wickDownColor: colors.down,
    borderDownColor: colors.down,
    priceLineVisible: false,
    lastValueVisible: false, // it would be that of the last bar in sight
    priceFormat: {
      type: "custom",
      minMove: 10 ** -Math.min(decimals, FINEST),
      formatter: (value) => decimal(value, decimals),
    },
  };
}

function secondsOf(interval) {
  return INTERVALS.find(([name]) => name === interval)[2];
}

/** A chart of one interval; `library` is lightweight-charts. */
class CandleChart {
  constructor(library, element, onPointer) {
    this.chart = library.createChart(element, optionsOf(themeColors()));
    this.series = this.chart.addSeries(library.CandlestickSeries);
    this.volume = this.chart.addSeries(library.HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      priceLineVisible: false,
      lastValueVisible: false,
    });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.tag = this.series.createPriceLine({ price: 0, lineWidth: 1, lineStyle: DASHED });
    this.jumps = library.createSeriesMarkers(this.series, []);
    this.jumped = new Set();
    /** The newest bar's distance from the right edge while the chart follows it; null while it does not. */
    this.rest = REST;
    this.drawing = false;
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.scrolled());
    this.chart.subscribeCrosshairMove((moved) => onPointer(moved.time ?? null));
    this.endKeys = driveByKeys(this.chart, element);
    this.colors = -1;
    this.id = "";
    this.whole = -1;
    this.version = -1;
    /** The times of the candles that the chart has, and of its last point. */
    this.times = new Set();
    this.drawn = -Infinity;
    this.paintedAt = -Infinity;
  }

  paint(now) {
    const { bars, id } = store.market.detail;
    if (this.colors !== colorsVersion() || this.id !== id) this.style(id);
    if (bars.version === this.version || now - this.paintedAt < store.strain.stretched(EVERY_MS)) return;
    this.paintedAt = now;
    this.version = bars.version;
    this.drawing = true;
    if (bars.whole === this.whole) this.update(bars);
    else this.replace(bars);
    this.mark(bars);
    this.drawing = false;
    if (this.follows) this.goTo(this.rest);
  }

  get follows() {
    return this.rest !== null;
  }

  /** Go to the newest bar, and follow it. */
  follow() {
    this.rest = REST;
    this.goTo(REST);
  }

  goTo(rest) {
    const scale = this.chart.timeScale();
    if (scale.scrollPosition() !== rest) scale.scrollToPosition(rest, false);
  }

  /** Somebody has moved the chart: follow the newest bar from there, or let it go. */
  scrolled() {
    if (this.drawing || !this.times.size) return;
    const position = this.chart.timeScale().scrollPosition();
    this.rest = position < -HIDDEN ? null : Math.max(0, position);
  }

  /** Tag the newest bar's price, and mark the bars with which a recording is played from elsewhere. */
  mark(bars) {
    const { last, interval } = bars;
    const colors = themeColors();
    const color = last && last[BAR.close] < last[BAR.open] ? colors.down : colors.up;
    this.tag.applyOptions({ price: last?.[BAR.close] ?? 0, color, lineVisible: Boolean(last), axisLabelVisible: Boolean(last) });
    const { seams } = store.sources.breaksOf(store.market.chosen.feed);
    const seconds = secondsOf(interval);
    const begun = seams.map((ms) => bars.indexOf(Math.floor(ms / 1000 / seconds) * seconds));
    const times = [...new Set(begun)].filter((at) => at > 0 && at < bars.rows.length).map((at) => bars.rows[at][BAR.start]);
    if (times.join() === this.marked) return;
    this.marked = times.join();
    this.jumped = new Set(times);
    this.jumps.setMarkers(times.map((time) => ({ time, position: "aboveBar", shape: "arrowDown", color: colors.warn })));
  }

  style(id) {
    this.colors = colorsVersion();
    this.id = id;
    const colors = themeColors();
    this.chart.applyOptions(optionsOf(colors));
    this.series.applyOptions(seriesOptions(colors, store.market.detail));
    this.whole = -1;
    this.version = -1;
    this.marked = "";
  }

  replace(bars) {
    this.whole = bars.whole;
    bars.takeFresh();
    const points = this.points(bars.rows, bars);
    this.series.setData(points.map(({ candle }) => candle));
    this.volume.setData(points.map(({ volume }) => volume));
    this.times = new Set(bars.rows.map((row) => row[BAR.start]));
    this.drawn = bars.last?.[BAR.start] ?? -Infinity;
  }

  /** Draw what has changed. The library changes candles that are there; it puts none before others. */
  update(bars) {
    for (const at of bars.takeFresh()) {
      const time = bars.rows[at][BAR.start];
      const past = time < this.drawn;
      if (past && !this.times.has(time)) return this.replace(bars);
      const from = time > this.drawn ? Math.max(0, at - 1) : at;
      for (const { candle, volume } of this.points(bars.rows.slice(from, at + 1), bars)) {
        if (candle.time !== time && candle.time <= this.drawn) continue;
        this.series.update(candle, past);
        this.volume.update(volume, past);
      }
      this.times.add(time);
      this.drawn = Math.max(this.drawn, time);
    }
    if (this.times.size > 2 * bars.rows.length) this.times = new Set(bars.rows.map((row) => row[BAR.start]));
  }

  /** Candles and volumes of rows, with the empty intervals between them. */
  points(rows, { interval }) {
    const seconds = secondsOf(interval);
    const { up, down } = themeColors();
    const points = [];
    for (const [at, row] of rows.entries()) {
      const [time, open, close] = [row[BAR.start], row[BAR.open], row[BAR.close]];
      const before = at ? rows[at - 1][BAR.start] : time;
      for (const empty of emptyBetween(before, time, seconds)) {
        points.push({ candle: { time: empty }, volume: { time: empty } });
      }
      const color = `${close >= open ? up : down}55`;
      points.push({
        candle: { time, open, high: row[BAR.high], low: row[BAR.low], close },
        volume: { time, value: row[BAR.volume], color },
      });
    }
    return points;
  }

  end() {
    this.endKeys();
    this.chart.remove();
  }
}

function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** A bar in parts of a line; `jumped` are the starts of those with which a recording is played from elsewhere. */
function readout(row, { decimals, id }, jumped) {
  if (!row) return [];
  const price = (name, column) => `${name} ${decimal(row[column], decimals)}`;
  const prices = [price("O", BAR.open), price("H", BAR.high), price("L", BAR.low), price("C", BAR.close)];
  const jump = jumped?.has(row[BAR.start]) ? ["after a jump"] : [];
  return [timeOfDay(1000 * row[BAR.start]), ...prices, `V ${store.market.sizesOf(id).text(row[BAR.volume])}`, ...jump];
}

export function Candles() {
  const { chosen, reachable } = useShape();
  const [, redraw] = useReducer((times) => times + 1, 0);
  const { intervals, interval } = store.market.detail.bars;
  const place = useRef(null);
  const words = useRef(null);
  const empty = useRef(null);
  const toNow = useRef(null);
  const chart = useRef(null);
  const pointed = useRef(null);

  // A layout effect because of its end: the library may not arrive when the place is gone.
  useLayoutEffect(() => {
    let ended = false;
    import("lightweight-charts").then((library) => {
      if (ended) return;
      chart.current = new CandleChart(library, place.current, (time) => {
        pointed.current = time;
      });
    });
    return () => {
      ended = true;
      chart.current?.end();
      chart.current = null;
    };
  }, []);

  const readOut = () => {
    let written = "";
    return (now) => {
      chart.current?.paint(now);
      setHidden(toNow.current, chart.current?.follows ?? true);
      const { detail } = store.market;
      const { bars } = detail;
      const time = pointed.current;
      if (written === `${bars.version} ${time}`) return;
      written = `${bars.version} ${time}`;
      const row = time === null ? bars.last : bars.rows.find((row) => row[BAR.start] === time);
      setParts(words.current, readout(row, detail, chart.current?.jumped));
    };
  };
  usePainter(readOut, [], { writes: true });

  useSlowPainter(() => {
    const began = performance.now();
    return (now) => {
      empty.current.hidden = Boolean(store.market.detail.bars.last);
      if (!empty.current.hidden) setText(empty.current, emptyText("candles", chosen, store.lackOf(chosen), now - began));
    };
  }, [chosen, interval]);

  const choose = (name) => {
    store.market.detail.bars.choose(name);
    redraw();
    store.actions.bars?.(name);
    chart.current?.follow();
  };
  const goToNow = () => {
    chart.current.follow();
    place.current.focus({ preventScroll: true });
  };

  return (
    <div className="chart-box">
      <div className="chart-bar">
        <span className="readout figure" ref={words} data-testid="candles-readout" />
        <span className="segments" role="group" aria-label="Length of a candle">
          {intervals.map(([name, label]) => (
            <button key={name} type="button" aria-pressed={name === interval} disabled={!reachable} onClick={() => choose(name)}>
              {label}
            </button>
          ))}
        </span>
      </div>
      <div className="plot">
        <div
          className="candle-place"
          role="group"
          tabIndex={0}
          aria-label={`Candles of ${chosen.name}; arrow keys move them, plus and minus zoom`}
          ref={place}
        />
        <button
          type="button"
          className="to-now"
          title="Go to the newest candle, and follow it"
          data-testid="candles-now"
          ref={toNow}
          hidden
          onClick={goToNow}
        >
          Now ▸
        </button>
        <TimeUnit />
        <p className="empty" ref={empty}>
          Waiting for the stream to begin.
        </p>
      </div>
    </div>
  );
}
