"""The walks of a user through the screens, each a part of the integration."""
