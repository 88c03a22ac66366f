"""A reward as an object: what runs it, its operations as a graph, and how two rewards compare."""
