"""Plans changes and finds problems in the preferences of the Energy dashboard."""
