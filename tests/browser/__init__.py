"""Walks through the demo by browser: `scripts/test --browser`."""
