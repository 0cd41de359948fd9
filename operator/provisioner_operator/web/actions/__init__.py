"""Changes that users ask for, each made with the user's own credential.

An action takes the user's client and a `Target` (a row of the index, a record of the core, or an `ObjectRef`), and returns
an `Outcome`: done, nothing to do, or refused, with a sentence for people and the cause. Where the API server refuses (a
missing right, an invalid value) or does not answer, it raises the error of `kube.errors`.
"""
