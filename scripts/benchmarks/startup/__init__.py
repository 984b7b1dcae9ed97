"""What this integration adds to Home Assistant's start, against one of its own."""
