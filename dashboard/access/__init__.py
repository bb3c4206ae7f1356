"""Who may in: origin, key, scopes, and how many and how much at a time."""
