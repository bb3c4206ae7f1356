"""Subscribers of the hub that remember, for pages and endpoints that ask later."""
