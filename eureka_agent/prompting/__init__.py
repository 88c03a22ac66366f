"""What a model is asked: prompts, examples and what they say of earlier candidates."""
