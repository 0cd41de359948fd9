"""Shapes of Coder's API: what its clients decode."""
