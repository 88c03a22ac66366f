"""What users import: a search from Python, and rewards to call."""
