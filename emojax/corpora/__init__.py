"""What a corpus is: its spec, its clips, and who is in which part."""
