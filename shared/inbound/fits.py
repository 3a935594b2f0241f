"""Whether what Twilio tells can be about the delivery that the callback's URL names. Pure.

A URL alone proves little: other programs of the account may use it for messages and calls of their own.
"""

from typing import Final

from shared.deliveries.record import Delivery
from shared.deliveries.status import Channel
from shared.inbound.form import Form
from shared.text.channels import has_no_number
from shared.text.numbers import MESSAGING_SERVICE, WHATSAPP
from shared.text.spellings import person

_KINDS: Final[dict[Channel, frozenset[str]]] = {"sms": frozenset({"SM", "MM"}), "call": frozenset({"CA"})}
"""how SIDs begin: https://www.twilio.com/docs/glossary/what-is-a-sid"""


def misfit(delivery: Delivery, form: Form, *, sid: str, channel: Channel, account: str | None) -> str | None:
    """Return why a status callback can't be about a delivery; None where it can.

    It can where account, kind of SID, recipient and sender are the delivery's. Every status callback tells them:
    https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks and
    https://www.twilio.com/docs/voice/api/call-resource#statuscallback. A recipient that is missing fits nothing.
    """
    if not of_account(form, account):
        return "its account is another"
    if delivery.channel != channel or sid[:2] not in _KINDS[channel]:
        return "it is of another kind"
    is_reply = delivery.direction == "inbound" and sid != delivery.sid
    to, from_ = (delivery.from_, delivery.to) if is_reply else (delivery.to, delivery.from_)
    if not _is_same(to, form.get("To")):
        return "its recipient is another"
    return None if _is_sender(from_, form) else "its sender is another"


def of_account(form: Form, account: str | None) -> bool:
    """Tell whether a form is about something of the account: its messages and calls are made there."""
    return account is None or form.get("AccountSid") in {None, account}


def _is_same(ours: str | None, told: str | None) -> bool:
    if not ours or not told:
        return False
    if ours.startswith(WHATSAPP) and told.startswith(WHATSAPP) and (has_no_number(ours) != has_no_number(told)):
        # Twilio does not say whether it tells the number or the user of what was sent to the other
        return True
    return person(_bare(ours)) == person(_bare(told))


def _bare(address: str) -> str:
    return address.rpartition(":")[2].casefold()


def _is_sender(ours: str | None, form: Form) -> bool:
    """A Messaging Service picks the number: https://www.twilio.com/docs/messaging/services."""
    if ours is None:
        return True
    told = form.get("MessagingServiceSid" if MESSAGING_SERVICE.fullmatch(ours) else "From")
    return told is None or _is_same(ours, told)
