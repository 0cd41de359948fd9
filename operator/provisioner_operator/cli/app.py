"""The tree of commands, as names of modules: importing all of them would delay every command by half a second."""

from provisioner_operator.cli.groups import CONTEXT, LazyGroup

app = LazyGroup(
    name="provisioner",
    help="Find provisioner jobs that are stuck, see why, and cancel them.\n\nTalks only to the API server, with your"
    " kubeconfig and your permissions. `--debug`, anywhere on the command line, or PROVISIONER_DEBUG=1 prints the"
    " traceback of an error.",
    context_settings=CONTEXT,
    lazy={
        "jobs": ("jobs.commands", "jobs"),
        "daemons": ("daemons.commands", "daemons"),
        "pools": ("pools.commands", "pools"),
        "workspaces": ("workspaces.commands", "workspaces"),
        "templates": ("workspaces.commands", "templates"),
        "match": ("match.command", "match"),
        "top": ("top.command", "top"),
        "web": ("web.command", "web"),
        "doctor": ("doctor.command", "doctor"),
        "version": ("general_commands", "version"),
        "completion": ("general_commands", "completion"),
        "help": ("general_commands", "help_"),
    },
)
