"""How inputs that nobody foresaw are borne: errors, slowness, and the budget."""
