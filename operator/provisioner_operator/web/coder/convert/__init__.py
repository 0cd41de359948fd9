"""Conversion of the index's rows and the cluster's objects into the shapes of Coder's API. Pure."""
