"""How many API calls there are. Pure: no Home Assistant, no I/O, the clock is given."""
