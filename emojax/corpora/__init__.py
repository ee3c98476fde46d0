"""Specs, clips and partitions of corpora."""
