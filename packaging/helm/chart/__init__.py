"""Generator of the Helm chart from the output of kustomize."""
