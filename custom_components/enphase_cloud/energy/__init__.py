"""Energy of a system: what to import next, and what answers change. Pure."""
