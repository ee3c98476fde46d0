"""One module per corpus: ``SPEC``, an example ``LAYOUT``, and ``clips(root)``, which lists its recordings."""
