"""What energy costs: tariffs, and the costs of hours. Pure."""
