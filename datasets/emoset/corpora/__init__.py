"""One module per corpus whose layout is public: ``SPEC``, and ``clips(root)``, which lists its recordings."""
