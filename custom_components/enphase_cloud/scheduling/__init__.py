"""When to make which API call. Pure: no Home Assistant, no I/O; time is an argument."""
