"""One module per corpus with a public layout: ``SPEC`` and ``clips(root)``, its recordings."""
