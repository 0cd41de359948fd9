"""Checks of workspaces for drift: when they are made, and what the status says of them."""
