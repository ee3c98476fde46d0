"""Metrics, figures and the table a person reads."""
