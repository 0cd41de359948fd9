"""Run a real node (kubelet and containerd) in namespaces of its own."""
