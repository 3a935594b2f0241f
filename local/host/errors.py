"""What keeps the host from starting."""


class HostError(Exception):
    """Something that the person at the keyboard has to change; the message says what, in one sentence."""
