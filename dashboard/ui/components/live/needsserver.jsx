// Controls that need the server, off while it does not answer: what they ask for later would come
// as a surprise.

import { useShape } from "./hooks.js";
import { NEEDS_SERVER } from "./scopes.js";

export function NeedsServer({ children }) {
  const { reachable } = useShape();
  return (
    <fieldset className="needs-server" disabled={!reachable} title={reachable ? undefined : NEEDS_SERVER}>
      {children}
    </fieldset>
  );
}

/** Says so in words, where there is room. */
export function ServerHint() {
  const { reachable } = useShape();
  return reachable ? null : <p className="hint">{NEEDS_SERVER}</p>;
}
