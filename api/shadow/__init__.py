"""Shadow mode: a candidate release scores live notes in a process of its own, and is compared with the coders."""
