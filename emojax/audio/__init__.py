"""Reading of audio files, conversion to 16 kHz mono, and log-mel features."""
