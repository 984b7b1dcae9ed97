"""Live data: speed, writes and memory, beside rivals in the same run."""
