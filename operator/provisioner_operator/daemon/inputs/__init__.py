"""Read from the API server what a job's run is made of: files, git source, variables, and which values are secret."""
