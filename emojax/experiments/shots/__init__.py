"""What k labelled clips a class are worth on a corpus that a trained model never saw."""
