"""Starlette routes beside the page: WebSocket, health and metrics."""
