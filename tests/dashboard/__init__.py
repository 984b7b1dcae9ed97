"""Tests of what is changed in the Energy dashboard."""
