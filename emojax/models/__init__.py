"""The networks (the only package that uses flax)."""
