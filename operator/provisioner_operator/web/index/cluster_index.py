"""The index of all kinds: what the routes read.

Interface:

    index.is_ready                 bool: whether every kind has been listed once
    index.loading                  Mapping[str, int]: objects read so far, by plural
    index.now()                    float: present time of the API server, in seconds since the epoch
    index.stale_seconds            float: time since the API server was last in contact; 0 while all watches are open
    index.namespaces               Collection[str]: names of all namespaces; `index.namespace_uid(name)`, `index.namespace_of_uid(uid)`
    index.jobs                     JobIndex, below
    index.daemons, .pools, .workspaces, .templates   ObjectIndex: .get(uid), .named(namespace, name), .of(namespaces) -> list[ObjectRow] by name
    index.queue                    QueueIndex, below
    index.version                  int: grows with each visible change (heartbeats that change nothing else do not count)
    await index.changed(since)     return the version once it is above `since`
    index.changes_since(version)   changed job uids with their namespaces since that version, or None if that is too long ago

    JobIndex:    .get(uid) -> JobRow | None, .named(namespace, name), .page(query, namespaces, limit) -> Page,
                 .counts(namespaces, query) -> Counts (the query without phases and stuck), .initiators(namespaces) -> set[str],
                 .of_workspace(namespace, workspace) -> list[JobRow] newest first
    QueueIndex:  .place(uid) -> Place | None (kept incrementally), .explain(job) -> Explanation | None, .reason(job) -> str, .is_stuck(job) -> bool,
                 .near_misses(job) -> list[str], .fits(job) -> list[Fit], .estimate(job) -> Estimate | None,
                 .matching_daemons(job) -> list[Daemon] (offline ones included), .is_online(daemon), .used(daemon) -> int
"""
