"""Routes of Coder's API, one module for each kind of object."""
