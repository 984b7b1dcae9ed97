"""Forms and validation of the config flow and the options flow."""
