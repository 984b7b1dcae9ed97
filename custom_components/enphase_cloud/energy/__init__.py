"""Energy of a system: what to import next, and what responses change. Pure."""
