"""Make a one-legged robot hop forward."""
