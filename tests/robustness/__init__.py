"""What may happen that nobody foresaw, drawn at random, for tests and a benchmark."""
