"""Audited notes in, model release out."""
