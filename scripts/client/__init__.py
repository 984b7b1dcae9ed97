"""Tries the client as a package of its own."""
