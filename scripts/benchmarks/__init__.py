"""Benchmarks of the integration's promises."""
