"""Strategies: what follows when a child has to be started again, each one pure object."""
