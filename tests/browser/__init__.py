"""Tests of the demo in a browser: `scripts/test --browser`."""
