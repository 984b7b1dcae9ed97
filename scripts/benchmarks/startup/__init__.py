"""What Home Assistant's start costs with this integration, and with one of its own."""
