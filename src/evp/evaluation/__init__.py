"""Outputs and truth -> numbers."""
