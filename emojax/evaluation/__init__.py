"""Metrics, statistical tests, figures and score files."""
