"""A robot as its file describes it: what it consists of, and what is added to its scene."""
