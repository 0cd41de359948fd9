"""Other controllers beside the product: built from their Go modules, with their own definitions and configuration."""
