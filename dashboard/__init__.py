"""Livetape: real-time market data from feed to browser."""

__version__ = "0.1.0"
