"""Build or find the programs that a cluster needs, from package registries."""
