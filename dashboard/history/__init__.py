"""What the product remembers of the stream: subscribers of the hub, blind to the feeds."""
