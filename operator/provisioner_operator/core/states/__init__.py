"""Terraform states of workspaces: their text, the versions that are kept of them, and their locks."""
