"""Figures that hours and intervals of energy tell; each is unknown rather than guessed.

Their formulas are in docs/figures.md.
"""
