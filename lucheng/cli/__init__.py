"""The commands of ``lucheng``, one file for each noun."""
