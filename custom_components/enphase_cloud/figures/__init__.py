"""Figures computed from hours and intervals of energy; unknown rather than estimated.

Their formulas are in docs/figures.md.
"""
