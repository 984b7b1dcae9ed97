"""How correct energy is: each hour of the statistics against the simulation's truth."""
