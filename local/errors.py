"""The faults that a person at the console can mend."""


class LocalError(Exception):
    """Something that is expected to go wrong at times; its message is the sentence that the person reads."""
