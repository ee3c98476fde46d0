"""Launch of an experiment's runs: their plan, their order and the machines that run them."""
