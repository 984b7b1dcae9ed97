"""Tests of Enphase Cloud."""
