"""Pure parts: no input or output, no event loop; time is passed in."""
