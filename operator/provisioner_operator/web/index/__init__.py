"""Index of jobs, daemons, pools, workspaces and templates: sorted, searchable, kept up to date by watches."""
