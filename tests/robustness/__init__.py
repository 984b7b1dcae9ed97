"""Random unforeseen inputs and events, for tests and a benchmark."""
