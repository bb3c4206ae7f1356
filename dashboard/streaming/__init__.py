"""Streams to other programs: `/ws` and OpenAlgo on both ports, and `/sse`."""
