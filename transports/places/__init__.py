"""Where guests run: processes for now."""
