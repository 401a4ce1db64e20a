"""The National Correct Coding Initiative: pairs, unit limits and add-on codes, shipped in part and imported whole."""
