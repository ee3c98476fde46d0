"""Export of a trained network into the forms in which it is given to others."""
