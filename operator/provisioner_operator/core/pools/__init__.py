"""Plan the daemon Pods of pools: number, template, creation, drain and deletion."""
