"""隐私语料: lines and files with made-up personal data, and as many that must pass. See privacy_lines.tsv."""
