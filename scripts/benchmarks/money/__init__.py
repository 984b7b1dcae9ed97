"""How correct costs are: a year in the recorder, against a bill from the truth."""
