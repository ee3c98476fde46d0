"""Any folder of audio, with a CSV that says what is in it."""
