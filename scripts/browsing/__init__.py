"""The integration in a browser, as a user sees and uses it."""
