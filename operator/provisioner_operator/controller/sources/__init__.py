"""Sources of observations: the initial lists, the reflectors that follow them, and a slow resync."""
