"""What a served client may ask the product to change or to tell: requests, and their one door."""
