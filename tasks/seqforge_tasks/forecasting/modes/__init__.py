"""Ways from a context to a horizon."""
