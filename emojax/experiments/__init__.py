"""The tables and figures of the EmoNet paper, from whichever corpora and finished runs a person has."""
