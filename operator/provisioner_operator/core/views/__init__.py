"""Read models of the cluster, pure, for its displays: the command line and the web server."""
