"""Benchmarks of what the integration promises."""
