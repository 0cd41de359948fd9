"""What a release publishes, built from this checkout: `make release`, `make sign`. Nothing here is part of the product."""
