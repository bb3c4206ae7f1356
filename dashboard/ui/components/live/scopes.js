// What the page says of controls that are off.

/** Why a control that needs the server is off. */
export const NEEDS_SERVER = "Off until the server answers.";

/** Why a control of what all clients share is off. */
export const NEEDS_CONTROL = "To change it for all, sign in with an API key that has the scope control.";
