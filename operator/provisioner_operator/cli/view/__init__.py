"""Read, parse and filter the objects that commands show."""
