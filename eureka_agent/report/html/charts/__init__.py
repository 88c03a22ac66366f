"""Charts as inline SVG, with titles and descriptions for screen readers."""
