"""Wire formats and sessions without any socket: text in, text out."""
