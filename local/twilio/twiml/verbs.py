"""The verbs that a call knows, by name. Those of schema.NOT_YET are noted as `not simulated yet`.

https://www.twilio.com/docs/voice/twiml#twiml-verbs-for-programmable-voice
"""

from collections.abc import Mapping
from types import MappingProxyType

from local.twilio.leg import Verb
from local.twilio.twiml.dial import dial
from local.twilio.twiml.enqueue import enqueue
from local.twilio.twiml.gather import gather
from local.twilio.twiml.leaving import hang_up, leave, redirect, reject
from local.twilio.twiml.record import record
from local.twilio.twiml.sms import sms
from local.twilio.twiml.speaking import pause, play, say

VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "Say": say,
        "Play": play,
        "Pause": pause,
        "Gather": gather,
        "Record": record,
        "Dial": dial,
        "Enqueue": enqueue,
        "Leave": leave,
        "Sms": sms,
        "Redirect": redirect,
        "Reject": reject,
        "Hangup": hang_up,
    }
)
