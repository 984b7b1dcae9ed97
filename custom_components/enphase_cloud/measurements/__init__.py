"""The known state of a system. Pure: no Home Assistant, no I/O."""
