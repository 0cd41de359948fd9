"""Read models of the cluster for programs that show it: the command line and the web server. Pure."""
