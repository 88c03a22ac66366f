"""The search: its loop, what is proposed, how candidates are evaluated, and which the next ones build on."""
