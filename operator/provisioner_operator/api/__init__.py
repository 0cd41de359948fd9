"""The Kubernetes API of the product: the kinds, their schemas and the CustomResourceDefinitions made from them.

The models here are the source; `crds/` is generated (`make crds`). Nothing in this package decides or does I/O.
"""
