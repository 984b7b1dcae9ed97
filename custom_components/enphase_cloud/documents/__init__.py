"""The documents that the cloud has: one row for each. Pure: no Home Assistant."""
