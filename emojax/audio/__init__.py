"""From a file of any kind to log-mel frames."""
