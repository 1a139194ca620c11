"""Backups: made while serving, checked before use, and put back as a whole (ADR "a backup of our own")."""
