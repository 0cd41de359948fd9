"""Plan the builds of workspaces and the versions of templates."""
