"""TwiML: what a document is. How one is walked is in walk.py, what each verb does in the module of its name.

https://www.twilio.com/docs/voice/twiml
"""

from local.twilio.twiml.document import Heard, Source, TwimlError, parse

__all__ = ["Heard", "Source", "TwimlError", "parse"]
