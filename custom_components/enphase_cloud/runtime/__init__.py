"""Shared by entries: the budget of an API key, tokens, storage and options."""
