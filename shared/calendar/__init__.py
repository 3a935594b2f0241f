"""Calendars and clocks: recurrence in a time zone, what was missed, quiet hours. Pure."""
