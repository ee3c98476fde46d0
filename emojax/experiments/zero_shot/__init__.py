"""Answers about corpora that a model never saw, by its head of common emotions."""
