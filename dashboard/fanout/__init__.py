"""The fan-out engine: from one frame to a thousand clients, joined into few writes. Pure."""
