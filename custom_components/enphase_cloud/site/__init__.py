"""What is known about a system. Pure: no Home Assistant, no I/O."""
