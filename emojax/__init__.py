"""EmoJAX: one shared network over many corpora of emotional speech, with a small adapter set per corpus."""
