"""Additions that an app may register; docs/extending.md says how."""
