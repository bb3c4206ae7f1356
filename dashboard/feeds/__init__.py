"""Where events come from: each feed turns one source into `core.model` events."""
