// Theme and colour pair.

import { useContext, useEffect, useState } from "react";
import { ColorModeContext } from "$/utils/context-registry";
import { PAIRS, THEMES, applyPair, readPair } from "./preferences.js";

function Choice({ legend, name, options, value, onChange }) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map(([key, label]) => (
        <label key={key} className="choice">
          <input type="radio" name={name} checked={key === value} onChange={() => onChange(key)} /> {label}
        </label>
      ))}
    </fieldset>
  );
}

export function Settings() {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  const [pair, setPair] = useState(PAIRS[0][0]);
  useEffect(() => {
    const read = () => setPair(readPair());
    read();
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-pair"] });
    return () => observer.disconnect();
  }, []);
  return (
    <>
      <Choice legend="Theme" name="theme" options={THEMES} value={rawColorMode} onChange={setColorMode} />
      <Choice legend="Up and down" name="pair" options={PAIRS} value={pair} onChange={applyPair} />
    </>
  );
}

/** Switches between light and dark at once. */
export function ThemeSwitch() {
  const { resolvedColorMode, setColorMode } = useContext(ColorModeContext);
  const other = resolvedColorMode === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="icon-button"
      id="theme"
      aria-label="Switch between light and dark"
      title="Switch between light and dark"
      onClick={() => setColorMode(other)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.3" />
        <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
      </svg>
    </button>
  );
}
