"""Four small corpora spoken by espeak-ng: the default that needs no download."""
