"""门: the command ``lucheng``. It composes all rooms; nobody imports it."""
