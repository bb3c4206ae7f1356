"""The hub: where feeds publish and everything else subscribes."""
