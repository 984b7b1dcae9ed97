"""How well faults of single panels are found, and how rare false alarms are."""
