"""How fresh data is for the calls that a plan allows."""
