"""Settings of a run: one flat ConfigDict a file."""
