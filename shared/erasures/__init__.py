"""Erasing a person: everything that holds an address at either end, bit by bit, with a receipt that fills."""
