"""Releases of the code systems: readers of their files, the index built from them, and the store that answers."""
