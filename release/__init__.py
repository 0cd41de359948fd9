"""Builds the files of a release from this checkout: `make release`, `make sign`. Nothing here is part of the product."""
