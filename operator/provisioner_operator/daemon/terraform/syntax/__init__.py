"""Terraform's language: what a template declares is read from its text, without running Terraform."""
