"""Read models: frozen values for pages, JSON and feeds. Each call makes a fixed number of SQL statements."""
