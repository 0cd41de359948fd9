"""Execute a job's stages: a run, its commands, the guard that outlives the daemon, and the run directory."""
