"""Files and trees at the rim: what is read, what is written, and what became of each file."""
