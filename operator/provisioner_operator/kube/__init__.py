"""The API server at the edge of the product: one small async client, paths, and parsing into the core's records."""
