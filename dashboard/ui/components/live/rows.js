// Rows of a list that grows at its top, made once and written anew; and the width of their columns.

/** A column that is as wide as the longest text that it had: the property `--name` of `element`, in digits. */
export class Column {
  constructor(element, name) {
    this.element = element;
    this.name = name;
    this.longest = 0;
  }

  fit({ length }) {
    if (length <= this.longest) return;
    this.longest = length;
    this.element.style.setProperty(`--${this.name}`, `${length}ch`);
  }
}

/**
 * Bring `fresh` rows to the top of `list`, the last ones again once there are `count` of them.
 * `rows` are the parts that `createRow` gives, with their element as `row`.
 */
export function turn(rows, list, { count, fresh, createRow }) {
  for (let i = 0; i < Math.min(fresh, count); i += 1) {
    const parts = rows.length < count ? createRow() : rows.pop();
    rows.unshift(parts);
    list.prepend(parts.row);
  }
  while (rows.length < count) list.append(rows[rows.push(createRow()) - 1].row);
  while (rows.length > count) rows.pop().row.remove();
}
