"""Training state, step and loop (the only package that uses jit, grad and the clock)."""
