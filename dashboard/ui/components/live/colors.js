// The theme's colours for canvases: read from the CSS variables, kept until the
// theme or the colour pair changes, or the font has come.

const NAMES = ["up", "down", "warn", "accent", "text", "muted", "faint", "line", "panel", "raised"];
let colors = null;
let version = 0;

function readAll() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const color = (name) => (read(name).startsWith("#") ? read(name) : hexOf(read(name)));
  colors = Object.fromEntries(NAMES.map((name) => [name, color(name)]));
  colors.sans = read("sans");
  colors.axisFont = `11px ${read("sans")}`;
  colors.priceFont = `600 ${read("text-xl")} ${read("sans")}`;
}

/** A system colour, which stands there where the system forces colours, as #rrggbb. */
function hexOf(name) {
  const probe = document.createElement("i");
  probe.style.cssText = `color: ${name}; forced-color-adjust: none`;
  document.body.append(probe);
  const channels = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3);
  probe.remove();
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, "0")).join("")}`;
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
  window.matchMedia("(forced-colors: active)").addEventListener("change", forget);
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
