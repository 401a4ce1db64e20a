"""What is wrong with audited notes, before anything is trained on them."""
