"""Commands on workspaces and templates."""
