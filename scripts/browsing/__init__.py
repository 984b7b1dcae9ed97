"""The integration in a browser, as a user sees it."""
