"""Logins at an API server: kubeconfigs, exec plugins, and credentials that are renewed."""
