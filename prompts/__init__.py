"""The prompt templates: every word that reaches a model is in a Markdown file of this folder."""
