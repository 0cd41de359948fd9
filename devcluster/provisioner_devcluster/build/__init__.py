"""Build or find the programs that a cluster needs."""
