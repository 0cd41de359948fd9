"""Reports of the controller to the outside: metrics, Events, logs and probes."""
