"""The version v1alpha1 of the API: one module a kind, and the parts that kinds share."""
