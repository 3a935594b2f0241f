"""Apps to be started, each in a process of its own: see bench.cold_start."""
