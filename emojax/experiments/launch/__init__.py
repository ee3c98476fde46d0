"""Runs of an experiment: what they are, in which order, where they run."""
