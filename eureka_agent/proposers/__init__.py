"""Where rewards come from: a model, the built-in grammar, or a script."""
