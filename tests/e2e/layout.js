// A function that gives what of the page is cut off or scrolls sideways, a line each; see layout.py.

() => {
  const faults = [];
  const root = document.documentElement;
  const named = (element) => {
    const path = [];
    for (let at = element; at && at !== document.body && path.length < 4; at = at.parentElement) {
      const classes = [...at.classList].slice(0, 2).map((name) => `.${name}`).join("");
      path.unshift(at.id ? `#${at.id}` : at.localName + classes);
      if (at.id) break;
    }
    return path.join(" > ");
  };
  const shown = (element) => element.checkVisibility({ visibilityProperty: true })
    && !element.closest(".sr-only, .skip, svg, script, style, select, datalist");
  const clips = (style) => /paint|strict|content/.test(style.contain);
  const scrolls = (value) => value === "auto" || value === "scroll";
  const isNumber = (element, text) => element.closest(".figure, .price, .time, .number")
    || /^[\s\d.,:%+\u2212\u2009kM-]*\d[\s\d.,:%+\u2212\u2009kM-]*$/.test(text);

  const scroller = (row) => {
    let at = row.parentElement;
    while (at && getComputedStyle(at).overflowY === "visible") at = at.parentElement;
    return at;
  };

  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter((element) => shown(element)
      && element.getBoundingClientRect().right > root.clientWidth + 1);
    const widths = `${root.scrollWidth} in ${root.clientWidth}`;
    faults.push(`the page scrolls sideways, ${widths}: ${named(wide.at(-1) ?? root)}`);
  }

  // Text that an element around it cuts off. A row that is out of sight as a whole is no fault.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !shown(element)) continue;
    range.selectNodeContents(text);
    let { left, right, top, bottom } = range.getBoundingClientRect();
    if (right - left < 1) continue;
    const row = element.closest('[role="row"], tr, li') ?? element;
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.display === "inline" || style.display === "contents") continue;
      const box = at.getBoundingClientRect();
      const cutX = style.overflowX !== "visible" || clips(style);
      const cutY = style.overflowY !== "visible" || clips(style);
      if (cutX && scrolls(style.overflowX)) [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      else if (cutX && (left < box.left - 1 || right > box.right + 1)) {
        const whole = element.closest("[title]")?.title.includes(text.data.trim());
        if (style.textOverflow === "ellipsis" && whole && !isNumber(element, text.data)) {
          [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
        } else {
          faults.push(`cut off: “${text.data.trim()}” in ${named(at)}`);
          break;
        }
      }
      if (cutY && scrolls(style.overflowY)) [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      else if (cutY) {
        const rowBox = row.getBoundingClientRect();
        if (rowBox.top >= box.bottom - 1 || rowBox.bottom <= box.top + 1) break;
        const slack = (bottom - top) / 4;
        if (top < box.top - slack || bottom > box.bottom + slack) {
          faults.push(`cut in height: “${text.data.trim()}” in ${named(at)}`);
          break;
        }
      }
      if (style.position === "fixed") break;
    }
  }

  for (const element of document.body.querySelectorAll("*")) {
    if (!shown(element)) continue;
    const style = getComputedStyle(element);
    const sideways = element.scrollWidth > element.clientWidth + 1 && scrolls(style.overflowX);
    const region = element.tabIndex === 0 && element.role && element.ariaLabel;
    if (sideways && !region) faults.push(`scrolls sideways unnamed: ${named(element)}`);

    // The last row that is seen of a list is seen whole.
    if (style.overflowY === "visible" || element.scrollHeight <= element.clientHeight + 2) continue;
    const box = element.getBoundingClientRect();
    const end = box.top + element.clientTop + element.clientHeight;
    for (const row of element.querySelectorAll('[role="row"], tbody tr, li, .card')) {
      if (scroller(row) !== element) continue;
      const { top, bottom } = row.getBoundingClientRect();
      if (top < end - 2 && bottom > end + 2) {
        faults.push(`half a row at the end of ${named(element)}`);
        break;
      }
    }
  }

  const pencil = document.createElement("canvas").getContext("2d");
  for (const select of document.querySelectorAll("select")) {
    const text = select.selectedOptions[0]?.text.trim();
    if (!text || select.size > 1 || !select.checkVisibility()) continue;
    const style = getComputedStyle(select);
    pencil.font = style.font;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 16;
    if (pencil.measureText(text).width > room + 1 && !select.title.includes(text)) {
      faults.push(`cut off: “${text}” in ${named(select)}`);
    }
  }
  for (const input of document.querySelectorAll('input:is([type="number"], [type="text"], [type="search"])')) {
    if (input.checkVisibility() && input.value && input.scrollWidth > input.clientWidth + 1) {
      faults.push(`cut off: “${input.value}” in ${named(input)}`);
    }
  }
  return [...new Set(faults)];
}
