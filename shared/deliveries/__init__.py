"""What became of each request: status words, the log, and looking up."""
