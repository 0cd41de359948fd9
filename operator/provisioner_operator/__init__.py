"""Provisioner jobs native to Kubernetes: a Kopf operator and the daemon that runs its jobs."""

__version__: str
"""The version that is installed; read when it is asked for, which takes longer than a short command should."""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("provisioner-operator")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
