"""Routes of our own API, one module for each thing to do."""
