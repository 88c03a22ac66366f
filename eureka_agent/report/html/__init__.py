"""HTML pages of a run: the report, the comparison, replays."""
