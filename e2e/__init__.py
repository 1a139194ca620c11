"""Tests in a real browser, through a line that can be made bad."""
