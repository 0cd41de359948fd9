"""Check an installation and say what is wrong with it."""
