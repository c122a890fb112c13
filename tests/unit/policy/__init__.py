"""Rules, and how they are judged: no specs, no files."""
