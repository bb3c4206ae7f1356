// The theme's colours for canvases: read from the CSS variables, kept until the
// theme or the colour pair changes, or the font has come.

const NAMES = ["up", "down", "warn", "accent", "text", "muted", "faint", "line", "panel", "raised"];
let colors = null;
let version = 0;

function readAll() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  colors = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  colors.sans = read("sans");
  colors.axisFont = `11px ${read("sans")}`;
  colors.priceFont = `600 ${read("text-xl")} ${read("sans")}`;
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
  document.fonts?.ready.then(forget);
}

/** { up, down, warn, accent, text, muted, faint, line, panel, raised } as CSS colours, and { priceFont, axisFont, sans }. */
export function themeColors() {
  if (!colors) readAll();
  return colors;
}

/** Rises with every change of the colours. */
export function colorsVersion() {
  return version;
}
