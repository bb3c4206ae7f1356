// Keys of the charts, and the wheel over candles. Arrows move a crosshair; candles they pan, and plus
// and minus zoom them. The wheel alone scrolls the page, as over a map: with Ctrl or Command it zooms.

const PAN_BARS = 4;
const ZOOM = 1.25;
const HINT_MS = 1600;
const MODIFIER = /Mac|iPhone|iPad/.test(globalThis.navigator?.userAgent ?? "") ? "\u2318" : "Ctrl";

/** How far an arrow key moves the crosshair, in px; further with Shift. */
const STEP = 8;
const LEAP = 64;

const ACTS = {
  ArrowLeft: (scale) => scale.scrollToPosition(scale.scrollPosition() - PAN_BARS, false),
  ArrowRight: (scale) => scale.scrollToPosition(scale.scrollPosition() + PAN_BARS, false),
  End: (scale) => scale.scrollToRealTime(),
  "+": (scale) => zoom(scale, ZOOM),
  "=": (scale) => zoom(scale, ZOOM),
  "-": (scale) => zoom(scale, 1 / ZOOM),
};

function zoom(scale, factor) {
  scale.applyOptions({ barSpacing: scale.options().barSpacing * factor });
}

/** Where a key moves a crosshair that is `at` { x, y } or null, over an element of this size; null for other keys. */
export function movedBy({ key, shiftKey }, at, { width, height }) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key] * (shiftKey ? LEAP : STEP);
  const x = { Home: 0, End: width }[key] ?? (at?.x ?? width / 2) + step;
  return Number.isFinite(x) ? { x: Math.min(width, Math.max(0, x)), y: at?.y ?? height / 2 } : null;
}

/** Give a lightweight chart in this element keys, and leave the wheel to the page; gives the function that ends it. */
export function driveByKeys(chart, element) {
  const hint = document.createElement("span");
  hint.className = "wheel-hint";
  hint.textContent = `${MODIFIER} and wheel zoom`;
  hint.hidden = true;
  element.append(hint);
  let timer = 0;

  const pressed = (event) => {
    const act = ACTS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(chart.timeScale());
  };
  // Before the library, which takes every wheel. Sideways there is nothing to scroll but the chart.
  const wheeled = (event) => {
    if (event.ctrlKey || event.metaKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.stopPropagation();
    hint.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      hint.hidden = true;
    }, HINT_MS);
  };
  element.addEventListener("keydown", pressed);
  element.addEventListener("wheel", wheeled, { capture: true, passive: true });
  return () => {
    clearTimeout(timer);
    element.removeEventListener("keydown", pressed);
    element.removeEventListener("wheel", wheeled, { capture: true });
    hint.remove();
  };
}
