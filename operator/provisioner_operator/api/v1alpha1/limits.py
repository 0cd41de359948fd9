"""Limits of the schema that every writer of a status respects."""

LONGEST_MESSAGE = 32_768
"""Characters, as in the message of a metav1.Condition."""
LONGEST_DECLARATION = 1024
"""Characters of the type, and of the description, of a variable that a template declares."""
MOST_VARIABLES = 128
"""Variables of an imported template in a job's status."""
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"
"""Pattern of the name of a variable or an output; Terraform also allows letters of other scripts."""
LONGEST_VARIABLE_NAME = 128
"""Characters of such a name."""
MOST_OUTPUTS = 64
"""Outputs in a job's status."""
LONGEST_OUTPUT = 4096
"""Characters of an output's value in a job's status."""
LONGEST_ADDRESS = 512
LONGEST_TYPE = 128
"""Characters of a resource's address, and of its type."""
MOST_RESOURCES = 256
"""Resources in a job's status."""
LONGEST_LOST_AFTER = 86_400
"""Seconds of the longest `lostAfterSeconds` of a daemon."""
LONGEST_IDLE_HEARTBEAT = 180
"""Seconds of the longest interval at which a daemon that runs nothing reports."""
LONGEST_SUSPENSION_SECONDS = 3_153_600_000
"""A hundred years."""
MOST_DRIFTED = 64
"""Resources in a workspace's status that a check for drift found changed; those in the status of its job are more."""
LOWEST_PRIORITY = -1_000_000_000
HIGHEST_PRIORITY = 1_000_000_000
"""Bounds of a job's priority."""
SHORTEST_DRIFT_CHECK_SECONDS = 300
"""Shortest interval between two checks of a workspace for drift: each is a run that reads all its resources."""
LONGEST_DRIFT_CHECK_SECONDS = 2_592_000
"""Thirty days, like all durations."""
MOST_VERSIONS = 64
"""Versions of a template that are kept; beyond these, only what is in use is kept."""
MOST_VERSIONS_IN_USE = 256
"""Versions of a template in its status, which has no room for more."""
LONGEST_RECORDED_VALUE = 1024
"""Characters of a variable's value that a version of a template records."""
MOST_VERSION_BYTES = 524_288
"""Bytes of all versions in a template's status: beside a spec with inline files, a third of what etcd accepts."""
MOST_QUEUE_GROUPS = 20
"""Groups that the status of a ProvisionerQueue shows."""
MOST_SUPPLIES = 64
"""Different supplies in a ProvisionerSupply: the API server compares each creation with all of them."""
MOST_SUPPLY_NEEDS = 4_096
"""Needs in its index: each supply may have 32 tags of its own, and has a scope."""
MOST_SUPPLY_TEMPLATES = 512
"""Templates in a ProvisionerSupply."""
MOST_SUPPLY_BYTES = 65_536
"""Bytes, about, of each of its two parts, the supplies with their index: API servers keep all of these objects in memory."""
