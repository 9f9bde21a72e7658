"""Hears emotion by what a voice does over a whole window: how its pitch, loudness and timbre lie, change and beat."""
