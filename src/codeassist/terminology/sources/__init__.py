"""Readers of the files that the code systems are published in, one format a module."""
