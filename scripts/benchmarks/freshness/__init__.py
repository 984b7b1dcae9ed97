"""How fresh data is with the calls of a plan, in a simulated year, against rivals."""
