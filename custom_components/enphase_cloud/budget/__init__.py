"""What may be spent, and when. Pure: no Home Assistant, no I/O, the clock is given."""
