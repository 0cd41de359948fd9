"""The controller: Kopf feeds the mirror, one loop decides, a fixed set of writers carries it out."""
