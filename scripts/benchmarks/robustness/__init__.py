"""How unforeseen inputs are handled: errors, slowness, and the budget."""
