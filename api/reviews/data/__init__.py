"""Tables that a coder can read and correct."""
