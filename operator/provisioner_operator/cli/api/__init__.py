"""Talk to the API server with the user's kubeconfig: one client, credentials, watches, error messages."""
