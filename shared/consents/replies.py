"""What answers STOP, START and HELP, where Twilio does not do it by itself. Pure."""

from shared.consents.words import Word
from shared.settings import Settings


def reply_to(word: Word, *, opt_out_type: str | None, settings: Settings) -> str | None:
    """Return the text that answers a word, or None where Twilio has answered it, as it does unless a setting says no.

    Where there is an `opt_out_type`, Advanced Opt-Out has answered, whatever the settings say.
    https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    """
    if opt_out_type or settings.opt_out_replies == "twilio":
        return None
    return {"stop": settings.stop_reply, "start": settings.start_reply, "help": settings.help_reply}[word]
