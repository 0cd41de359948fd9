"""The queue of a namespace under its policy: groups that share its slots, and limits of what runs at a time. Pure."""
