"""How accounts with many systems and panels hold up Home Assistant."""
