"""TOML files that people write: read as tables, with the line of everything that is wrong. Pure."""
