"""The responses of the API, one module per family of documents."""
