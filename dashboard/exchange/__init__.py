"""The demonstration exchange: a believable market in Redis, for the product to show."""
