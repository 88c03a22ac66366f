"""Reports on a terminal or as plain lines, made with rich."""
