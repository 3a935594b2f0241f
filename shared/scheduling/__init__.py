"""Scheduled notifications: what they are, what is on record of them, and what the timer makes of them."""
