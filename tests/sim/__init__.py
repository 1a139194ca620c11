"""Phones, the office and a bad network around the real app, for weeks in seconds, and what must hold after it."""
