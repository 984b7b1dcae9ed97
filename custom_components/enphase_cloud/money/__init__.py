"""Tariffs, and the cost of each hour of energy. Pure."""
