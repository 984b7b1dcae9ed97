"""The actions of the integration, one module a subject."""
