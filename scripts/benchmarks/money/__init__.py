"""Whether costs are true: a year in the recorder, beside the truth's own bill."""
