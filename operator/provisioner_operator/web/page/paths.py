"""Addresses of the page. Pure: every link of a template comes from here, with its names quoted."""

from urllib.parse import quote

ALL = "-"
"""Organization in an address that means all of them; no namespace has this name."""


def organization(org: str) -> str:
    """Root of an organization's pages."""
    return f"/organizations/{quote(org, safe='')}"


def jobs(org: str) -> str:
    """List of an organization's jobs."""
    return f"{organization(org)}/provisioner-jobs"


def job(org: str, name: str) -> str:
    """Page of one job."""
    return f"{jobs(org)}/{quote(name, safe='')}"


def job_log(org: str, name: str) -> str:
    """Log of one job."""
    return f"{job(org, name)}/logs"


def job_action(org: str, name: str, action: str) -> str:
    """Form that changes a job."""
    return f"{job(org, name)}/{action}"


def cancel_jobs(org: str) -> str:
    """Form that cancels several jobs."""
    return f"{organization(org)}/cancel-jobs"


def provisioners(org: str) -> str:
    """List of an organization's daemons."""
    return f"{organization(org)}/provisioners"


def provisioner(org: str, name: str) -> str:
    """Line of one daemon in the list, on the page that begins with it."""
    quoted = quote(name, safe="")
    return f"{provisioners(org)}?from={quoted}#provisioner-{quoted}" if quoted else provisioners(org)


def provisioner_action(org: str, name: str, action: str) -> str:
    """Form that changes a daemon."""
    return f"{provisioners(org)}/{quote(name, safe='')}/{action}"


def workspaces(org: str) -> str:
    """List of an organization's workspaces."""
    return f"{organization(org)}/workspaces"


def workspace(org: str, name: str) -> str:
    """Page of one workspace."""
    return f"{workspaces(org)}/{quote(name, safe='')}"


def workspace_action(org: str, name: str, action: str) -> str:
    """Form that changes a workspace."""
    return f"{workspace(org, name)}/{action}"
