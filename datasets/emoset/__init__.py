"""Corpora of emotional speech, as their publishers lay them out."""
