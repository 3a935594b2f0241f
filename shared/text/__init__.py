"""Words and numbers: pure."""
