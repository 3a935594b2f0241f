"""What answers a text that comes in, or passes it on: rules in a file, and a cap. `library.Replies` is the way in."""
