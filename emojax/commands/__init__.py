"""The command ``emojax``: what a person types to use a trained model, a file for each command."""
