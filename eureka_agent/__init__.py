"""Language models write reward functions for robot learning; massively parallel simulation judges them."""
