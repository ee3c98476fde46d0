"""Timelines of long recordings: when somebody speaks, and with which emotion."""
