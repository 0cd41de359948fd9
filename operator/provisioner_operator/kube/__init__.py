"""Access to the API server: one small async client, URL paths, selectors, and parsing into the core's records."""
