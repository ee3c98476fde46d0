"""Any folder of audio with a CSV that describes it."""
