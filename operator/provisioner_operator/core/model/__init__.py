"""Values that every decision works on: records of the cluster, instants, tag matching, conditions, JSON."""
