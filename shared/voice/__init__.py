"""What a caller hears."""
