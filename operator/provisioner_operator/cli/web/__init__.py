"""`kubectl provisioner web`: the page and the REST API for one user, on loopback."""
