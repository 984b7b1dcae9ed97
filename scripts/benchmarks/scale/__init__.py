"""How long accounts with many systems and panels block Home Assistant."""
