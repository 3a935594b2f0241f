"""Addresses of messages beside phone numbers: users of WhatsApp and Messenger, RCS and SIP. Pure."""

import re
from typing import Final

WHATSAPP_USER: Final = re.compile(r"whatsapp:(?P<country>[A-Z]{2})\.(ENT\.)?[A-Za-z0-9]{1,128}")
"""A WhatsApp user who shows no number: an ISO country, a full stop and Meta's id. `ENT.` is in the id that several
businesses of one owner share.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
https://www.twilio.com/en-us/changelog/whatsapp-bsuid-format-in-conversations-and-webhook-fields"""
RCS_SENDER: Final = re.compile(r"rcs:[A-Za-z0-9_.-]{1,100}")
"""https://www.twilio.com/docs/rcs/send-an-rcs-message"""
MESSENGER: Final = re.compile(r"messenger:[A-Za-z0-9_.-]{1,100}")
"""A Facebook page, or one of its users:
https://www.twilio.com/docs/messaging/tutorials/send-message-with-facebook-messenger"""
SIP: Final = re.compile(r"sips?:\S{1,300}")
PREFIXES: Final = ("whatsapp:", "rcs:", "messenger:", "client:")
"""what may stand before an address of a message or a call, but for SIP"""


def has_no_number(address: str) -> bool:
    """Tell whether an address is of a person whose number Twilio does not tell: a user of WhatsApp or Messenger."""
    return (WHATSAPP_USER.fullmatch(address) or MESSENGER.fullmatch(address)) is not None
