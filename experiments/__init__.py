"""Floor 6: programs that train."""
