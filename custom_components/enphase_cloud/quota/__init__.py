"""How many API calls are left. Pure: no Home Assistant, no I/O; time is an argument."""
