// What the page says where its key is not enough.

/** Why a control of what all clients share is off. */
export const NEEDS_CONTROL = "To change it for all, sign in with an API key that has the scope control.";
