"""Pages of workspaces, and the forms that start, stop, rebuild and delete them."""
