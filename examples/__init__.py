"""Additions that an app may register; docs/how-to/extend.md says how."""
