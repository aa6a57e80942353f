"""Connections to guests."""
