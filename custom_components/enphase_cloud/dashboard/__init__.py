"""The Energy dashboard: what to add to its preferences, and what is wrong there."""
