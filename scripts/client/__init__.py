"""A trial of the client as a package of its own."""
