"""How many segments a text has, which is what `num_segments` says.

https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from shared.text.segments import count


def segments(body: str) -> int:
    """Count them as the app does, which a test compares with Twilio's own calculator."""
    return count(body).segments
