"""When to make which API call. Pure: no Home Assistant, no I/O, the clock is given."""
