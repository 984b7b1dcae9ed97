"""What is known of a system. Pure: no Home Assistant, no I/O."""
