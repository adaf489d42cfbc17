"""Floor 4: what surrounds training: data."""
