"""Features of a pair of a note and a code, the classifier over them, its calibration and the tiers."""
