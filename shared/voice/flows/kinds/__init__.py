"""The kinds of steps, one a module: a new module with a KIND is a new kind. See `kind`."""
