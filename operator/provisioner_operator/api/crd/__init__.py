"""Generate the CustomResourceDefinitions from the models."""
