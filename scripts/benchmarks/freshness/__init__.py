"""How fresh data is for the calls that a plan allows.

A simulated year of the real schedule and ledger, beside the best that any schedule
could do and beside polling at fixed intervals.
"""
