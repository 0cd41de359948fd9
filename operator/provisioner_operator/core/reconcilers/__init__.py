"""Keep the observed cluster in memory and decide, per family of kinds, what has to be written next."""
