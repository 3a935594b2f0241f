"""A consent to start from."""

from datetime import UTC, datetime

import msgspec

from shared.consents.consent import Consent, State

NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
TO, FROM = "+14155550100", "+14155550199"
MESSAGE = "SM" + "0123456789abcdef" * 2


def a_consent(state: State, **changes: object) -> Consent:
    """What a recipient said in a text."""
    plain = Consent(to=TO, sender=FROM, state=state, at=NOW, by=MESSAGE, how="keyword")
    return msgspec.structs.replace(plain, **changes)
