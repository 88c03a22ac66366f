"""Make a four-legged robot run forward."""
