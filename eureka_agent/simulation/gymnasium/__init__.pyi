from .fitness import FitnessRule, fitness_rule

__all__ = ["FitnessRule", "fitness_rule"]
