"""Trained on one corpus, tested on others."""
