"""Fitting a release in stages on disk: memory does not grow with the notes, and what was killed goes on."""
