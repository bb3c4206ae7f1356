// The page's session: when it has ended, no socket opens any more, and the server has the sign-in for us.

const KEY_NEEDED = 401;

/** Load the page anew where the server asks for a key, as it then answers with the sign-in. */
export async function signInIfAsked({ fetch, location } = window) {
  const { status } = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => ({}));
  if (status === KEY_NEEDED) location.reload();
}
