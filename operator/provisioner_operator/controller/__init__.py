"""The controller: sources observe the cluster, one loop decides, and a fixed number of writers carries out the decisions."""
