"""Terraform states of workspaces: their locks."""
