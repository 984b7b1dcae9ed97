"""What the entries share: the budget of a key, tokens, storage and options."""
