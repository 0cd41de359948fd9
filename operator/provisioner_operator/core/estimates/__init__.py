"""Estimates of times that lie ahead, from runs that have ended. Pure: time and chance are passed in."""
