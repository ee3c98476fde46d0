"""Settings of a run: one flat ConfigDict per file."""
