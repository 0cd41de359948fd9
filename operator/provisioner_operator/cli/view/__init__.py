"""Load and filter what a command shows."""
