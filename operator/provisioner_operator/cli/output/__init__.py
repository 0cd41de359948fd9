"""Print tables, JSON, YAML and times for people and programs."""
