"""Use a trained run: its network, predictions, and what most people need (``load``)."""
