"""How well faults of single panels are found, and how rarely sound ones are blamed."""
