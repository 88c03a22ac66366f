"""Helpers that know nothing of rewards: files, paths, text on a terminal, cores, spelling."""
