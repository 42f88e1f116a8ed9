"""One file for each face."""
