"""What answers STOP, START and HELP, where Twilio does not do it by itself. Pure."""

from shared.consents.words import Word
from shared.settings import Settings


def reply_to(
    word: Word, *, opt_out_type: str | None, is_answered: bool, is_repeated: bool, settings: Settings
) -> str | None:
    """Return the text that answers a word, or None where nothing of ours does.

    Args:
        word: what the text asks for.
        opt_out_type: where there is one, Advanced Opt-Out has answered, whatever the settings say.
            https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
        is_answered: Twilio knows the word, and answers it unless OPT_OUT_REPLIES says `app`. Nobody else answers a word
            that Twilio does not know.
        is_repeated: its sender had said the same before. An opt-out is confirmed once:
            https://www.ecfr.gov/current/title-47/section-64.1200 (a)(12).
        settings: the texts.
    """
    if opt_out_type or (is_answered and settings.opt_out_replies == "twilio"):
        return None
    if word == "stop" and is_repeated:
        return None
    return {"stop": settings.stop_reply, "start": settings.start_reply, "help": settings.help_reply}[word]
