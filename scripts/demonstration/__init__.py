"""The demo: a real Home Assistant beside a simulated Enphase cloud, and its check."""
