"""Checks that run a task: what is wrong with it, in plain words."""
