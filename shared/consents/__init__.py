"""Who does not want texts: the words that say so, and what is on record of it. Calls are no part of it."""

from shared.consents.consent import Consent
from shared.consents.register import OPTED_OUT, Consents

__all__ = ["OPTED_OUT", "Consent", "Consents"]
