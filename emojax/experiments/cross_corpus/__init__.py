"""Scores of systems on corpora that they were not trained on."""
