"""The composition root: the owner's half, the half that serves clients, and both in one process."""
