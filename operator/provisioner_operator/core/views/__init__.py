"""Read models of the cluster, pure, for those who show it: the command line and the web server."""
