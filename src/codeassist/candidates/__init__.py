"""From mentions to the codes that they could mean, before ranking."""
