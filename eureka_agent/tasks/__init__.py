"""What a task is, and how one is found: what everybody needs who writes a task."""
