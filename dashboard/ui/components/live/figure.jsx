// One number of the page, written when it changes.

import { useRef } from "react";
import { FIGURES } from "./figures.js";
import { NONE } from "./format.js";
import { setText, useCountedPainter } from "./hooks.js";
import { store } from "./store.js";

export function Figure({ name, testId }) {
  const element = useRef(null);

  useCountedPainter(FIGURES[name].counter ?? "slow", () => {
    const { read, show } = FIGURES[name];
    const target = element.current;
    let shown;
    return () => {
      const value = read(store);
      if (value === shown) return;
      shown = value;
      setText(target, value === undefined || value === null ? NONE : show(value));
      if (value === undefined || value === null) target.removeAttribute("data-value");
      else target.setAttribute("data-value", Math.round(value * 1000) / 1000);
    };
  }, [name]);

  return (
    <span ref={element} className="figure" data-testid={testId}>
      {NONE}
    </span>
  );
}
