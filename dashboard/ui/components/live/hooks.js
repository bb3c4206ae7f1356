// How leaves hang on the store: by frames, or by the rare changes of structure.

import { useCallback, useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { EMPTY_SHAPE, store } from "./store.js";

/**
 * Run what `begin()` returns in every frame while the component is mounted; its
 * `end`, if it has one, afterwards. The dependencies are as for useEffect. It is
 * a layout effect because of its end: no frame may find the elements gone. What
 * `writes` text says so.
 */
export function usePainter(begin, dependencies, { writes = false } = {}) {
  useLayoutEffect(() => {
    const paint = begin();
    const remove = store.frames.add(paint, { writes });
    return () => {
      remove();
      paint.end?.();
    };
  }, dependencies);
}

/** Like `usePainter`, for what writes when a counter of the `Cadence` has changed: `beat`, `trades` or `slow`. */
export function useCountedPainter(counter, begin, dependencies) {
  const counted = () => {
    const paint = begin();
    let painted = -1;
    return (now) => {
      if (store.cadence[counter] === painted) return;
      painted = store.cadence[counter];
      paint(now);
    };
  };
  usePainter(counted, dependencies, { writes: true });
}

/** Like `usePainter`, about four times a second. */
export function useSlowPainter(begin, dependencies) {
  useCountedPainter("slow", begin, dependencies);
}

const subscribe = (listener) => store.subscribe(listener);
const snapshot = () => store.shape;
const onServer = () => EMPTY_SHAPE;

/** The store's shape; renders again when instruments, choice, pause, frequency or connection change. */
export function useShape() {
  return useSyncExternalStore(subscribe, snapshot, onServer);
}

/** An attribute of the document's root; renders again when it changes. */
export function useRootAttribute(name) {
  const listen = useCallback(
    (changed) => {
      const observer = new MutationObserver(changed);
      observer.observe(document.documentElement, { attributes: true, attributeFilter: [name] });
      return () => observer.disconnect();
    },
    [name],
  );
  return useSyncExternalStore(listen, () => document.documentElement.getAttribute(name), onServerNull);
}

const onServerNull = () => null;

/**
 * What was found for `text`, up to `count` instruments of it, see `Finder`: until the answer is here,
 * what was found before. Null looks for nothing.
 */
export function useFound(text, count) {
  const sought = text !== null;
  const read = () => (sought ? store.finder.answerTo(text) : null);
  const answer = useSyncExternalStore(subscribe, read, () => null);
  const shown = useRef(null);
  useEffect(() => (sought ? store.finder.want(text, count) : undefined), [text, count]);
  if (answer || !sought) shown.current = answer;
  return shown.current;
}

/** Write `text` into an element, only when it differs from what stands there. */
export function setText(element, text) {
  if (element.firstChild === null) element.textContent = text;
  else if (element.firstChild.nodeValue !== text) element.firstChild.nodeValue = text;
}

/** Write the parts of a line, each of which stays whole where the line is broken. */
export function setParts(element, parts) {
  const spans = element.children;
  if (spans.length !== parts.length) {
    element.replaceChildren(...parts.flatMap(() => [document.createElement("span"), " "]));
  }
  for (const [at, part] of parts.entries()) setText(spans[at], at ? `· ${part}` : part);
}

/** Set an attribute, only when it differs; null removes it. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}
