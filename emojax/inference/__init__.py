"""Inference with a trained run: its network, predictions, and the entry point ``load``."""
