"""Prepared corpora, sampling and batches."""
