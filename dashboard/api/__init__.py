"""Answers to single requests: REST, exports, health, metrics."""
