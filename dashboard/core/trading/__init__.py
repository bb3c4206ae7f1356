"""Paper trading, pure: what a runner is, what it decides on a bar, and what that costs it."""
