"""Declared tables against real ones: what differs, how it is brought about, how it is told."""
