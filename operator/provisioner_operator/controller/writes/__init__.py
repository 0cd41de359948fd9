"""Carry out decisions as conditional requests."""
