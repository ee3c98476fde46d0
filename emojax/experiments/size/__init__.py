"""UAR of shared networks of several sizes against their parameters and time."""
