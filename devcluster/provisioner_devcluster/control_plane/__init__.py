"""Start, use and stop etcd, the API server, the controller manager and the scheduler."""
