"""Prepare Python 3.14 and the virtual environments, from a bare clone.

Runs on the machine's own Python (3.11 or newer) with the standard library alone.
"""
