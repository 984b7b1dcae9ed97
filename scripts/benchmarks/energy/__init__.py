"""Whether energies are true: in the recorder, hour by hour, beside the truth."""
