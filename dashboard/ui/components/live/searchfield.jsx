// A search field that asks the server when its reader pauses. It waits here, not in Reflex, which
// would send what was typed before the server went away when it is back.

import { useEffect, useRef } from "react";

const TYPED_MS = 150;

export function SearchField({ label, onSearch, ...field }) {
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = ({ target }) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(target.value), TYPED_MS);
  };
  return <input {...field} type="search" aria-label={label} onChange={typed} />;
}
