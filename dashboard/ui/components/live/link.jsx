// Links within the page: they change it without loading it anew.

import { Link, useNavigate } from "react-router";

export function PageLink({ href, children, ...props }) {
  return (
    <Link to={href} {...props}>
      {children}
    </Link>
  );
}

/** A function that opens an address of this page. */
export function useGo() {
  return useNavigate();
}
