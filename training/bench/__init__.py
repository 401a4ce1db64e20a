"""How training grows with the number of notes: `make bench-train`."""
