"""Show queue, runs and daemons live, in the terminal."""
