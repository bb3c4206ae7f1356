// The command palette: Ctrl K or Command K.

import { useContext, useLayoutEffect, useRef, useState } from "react";
import { ColorModeContext } from "$/utils/context-registry";
import { commands, find, soughtIn } from "./commands.js";
import { typing } from "./controls.jsx";
import { questionOf } from "./finder.js";
import { useFound, useShape } from "./hooks.js";
import { addressOf } from "./instruments.js";
import { useGo } from "./link.jsx";
import { singleKeys } from "./preferences.js";
import { store } from "./store.js";

export function Palette() {
  const shape = useShape();
  const { setColorMode } = useContext(ColorModeContext);
  const dialog = useRef(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const go = useGo();
  const [open, setOpen] = useState(false);
  const sought = soughtIn(typed);
  const answer = useFound(open ? sought : null);
  const found = open ? find(commands(shape, answer?.rows ?? [], { setColorMode, go }), typed, shape) : [];

  // A layout effect because of its end: no key may find the dialog gone.
  useLayoutEffect(() => {
    const onKey = (event) => {
      const toggles = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
      const alone = !event.ctrlKey && !event.metaKey && singleKeys();
      const searches = event.key === "/" && alone && !typing(event.target);
      if (!toggles && !searches) return;
      event.preventDefault();
      const field = document.querySelector("[data-search]");
      if (searches && field) field.focus();
      else if (dialog.current.open) dialog.current.close();
      else show();
    };
    const show = () => {
      setTyped("");
      setAt(0);
      setOpen(true);
      if (!dialog.current.open) dialog.current.showModal();
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("livetape:palette", show);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("livetape:palette", show);
    };
  }, []);

  // Long lists scroll: the selected row is never out of sight.
  useLayoutEffect(() => {
    document.getElementById(`command-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [at, typed]);

  const run = (command) => {
    dialog.current.close();
    command?.[1]();
  };
  const pressed = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((at + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      // Who types fast and knows the name need not wait for the answer.
      if (!found.length && shape.reachable && answer?.text !== questionOf(sought)) {
        store.finder.best(sought).then((best) => run(best && ["", () => go(addressOf(best.id))]));
      } else run(found[at]);
    }
  };

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Commands"
      onClose={() => setOpen(false)}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found.length ? `command-${at}` : undefined}
        placeholder="An instrument, an interval in ms, pause, theme"
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={pressed}
      />
      <ul id="commands" role="listbox" aria-label="Commands">
        {found.map((command, index) => (
          <li
            key={command[0]}
            id={`command-${index}`}
            role="option"
            aria-selected={index === at}
            title={command[0]}
            onClick={() => run(command)}
            onMouseMove={() => index !== at && setAt(index)}
          >
            {command[0]}
          </li>
        ))}
      </ul>
      {!found.length && <p className="empty">No command matches.</p>}
      {!shape.reachable && <p className="hint">Commands that need the server are left out until it answers.</p>}
    </dialog>
  );
}

export function PaletteButton() {
  return (
    <button
      type="button"
      className="palette-button"
      aria-keyshortcuts="Control+K Meta+K"
      onClick={() => document.dispatchEvent(new CustomEvent("livetape:palette"))}
    >
      Commands <kbd>Ctrl K</kbd>
    </button>
  );
}
