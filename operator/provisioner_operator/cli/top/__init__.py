"""Show the queue, the runs and the daemons live in the terminal."""
