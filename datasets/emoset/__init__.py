"""Corpora of emotional speech, in their publishers' layouts."""
