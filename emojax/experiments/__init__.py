"""Tables and figures of the EmoNet paper, from any corpora and finished runs."""
