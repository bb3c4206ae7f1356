// Folds a panel, where the window is narrow.

import { useState } from "react";

export function Fold({ panel, label }) {
  const [folded, setFolded] = useState(false);
  const toggle = () => {
    document.getElementById(panel)?.toggleAttribute("data-folded", !folded);
    setFolded(!folded);
  };
  return (
    <button
      type="button"
      className="fold icon-button"
      aria-expanded={!folded}
      aria-controls={panel}
      aria-label={`${folded ? "Unfold" : "Fold"} ${label}`}
      onClick={toggle}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M4 6l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
      </svg>
    </button>
  );
}
