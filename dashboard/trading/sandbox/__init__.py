"""Strategies in Lua, in worker processes that nothing gets out of."""
