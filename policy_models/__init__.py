"""方案: what must happen, and every rule about it. Pure Python: no SQL, no HTTP, no clock; files only in ``plan_file``."""
