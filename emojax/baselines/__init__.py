"""Baselines: openSMILE or DeepSpectrum features with a support vector machine."""
