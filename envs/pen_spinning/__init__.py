"""Pen spinning: a Shadow hand, palm up, turns a pen about the vertical without dropping it."""
