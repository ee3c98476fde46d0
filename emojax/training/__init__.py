"""State, step and loop (the only room that knows jit, grad and the clock)."""
