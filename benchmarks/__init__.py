"""One file for each question; the peers and limits that a figure is judged by are measured in the same run."""
