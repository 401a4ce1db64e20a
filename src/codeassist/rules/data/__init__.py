"""What the families know: their rules, and the tables that they read, in files that a coder can read and correct."""
