"""Four small corpora spoken by espeak-ng, which need no download."""
