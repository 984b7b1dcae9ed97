"""How fresh data is for the calls of a plan, in a simulated year beside rivals."""
