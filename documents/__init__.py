"""文书: bytes become what they say, and what is to be said becomes bytes: files, workbooks, letters, reports."""
