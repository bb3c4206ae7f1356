"""The page: Reflex state and components over the hub."""
