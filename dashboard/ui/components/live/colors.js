// The theme's colours for canvases: read from the CSS variables, kept until the
// theme or the colour pair changes.

const NAMES = ["up", "down", "warn", "accent", "text", "muted", "faint", "line"];
let colors = null;
let version = 0;

function read() {
  const style = getComputedStyle(document.documentElement);
  colors = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

if (typeof window !== "undefined") {
  const forget = () => {
    colors = null;
    version += 1;
  };
  new MutationObserver(forget).observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["class", "data-pair"],
  });
}

/** { up, down, warn, accent, text, muted, faint, line } as CSS colours. */
export function themeColors() {
  if (!colors) read();
  return colors;
}

/** Rises with every change of the colours. */
export function colorsVersion() {
  return version;
}
