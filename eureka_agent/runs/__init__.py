"""A run on disk: its folder, its database, and what may change when it is resumed."""
