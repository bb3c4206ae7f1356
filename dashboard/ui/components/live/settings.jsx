// Theme, colour pair and single keys; the way out of the page's session.

import { useContext } from "react";
import { ColorModeContext } from "$/utils/context-registry";
import { useRootAttribute, useShape } from "./hooks.js";
import { KEYS, PAIRS, THEMES, applyKeys, applyPair } from "./preferences.js";

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

/** `signOut` is the address that ends the session, of who has signed in. */
export function Settings({ signOut }) {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  const { signedIn } = useShape();
  const pair = useRootAttribute("data-pair") ?? PAIRS[0][0];
  const keys = useRootAttribute("data-keys") ?? KEYS[0][0];
  return (
    <>
      <Choice legend="Theme" name="theme" options={THEMES} value={rawColorMode} onChange={setColorMode} />
      <Choice legend="Up and down" name="pair" options={PAIRS} value={pair} onChange={applyPair} />
      <Choice legend="Single keys" name="keys" options={KEYS} value={keys} onChange={applyKeys} />
      {signedIn && (
        <form method="post" action={signOut}>
          <button>Sign out</button>
        </form>
      )}
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
