"""The desk for texts: each one goes on record, is passed on where a rule says so, and is answered with TwiML."""

import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from shared.consents import Consents
from shared.consents.replies import reply_to
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.inbound.answered import find_answered
from shared.inbound.arrivals import Said, file_text, heed
from shared.inbound.form import Form
from shared.inbound.replies.documents import SILENCE, forwarded, twiml
from shared.inbound.replies.library import Replies
from shared.inbound.replies.quota import Quota
from shared.inbound.replies.rules import Chosen, Reply, Rule, bare, choose
from shared.logs import about
from shared.queues import Queue
from shared.settings import MOST_REPLIES, Settings
from shared.tables import Table
from shared.text.segments import plain
from shared.text.spellings import person, spellings
from shared.text.templates.plain import Plain
from shared.text.templates.rendered import LONGEST
from shared.voice.flows.urls import callback_url
from shared.voice.twiml import writable

_logger: Final = logging.getLogger(__name__)
DEFAULT: Final = "SMS_REPLY"
"""the name of the rule that this setting makes"""
OPTED_OUT: Final = "its sender opted out"
UNWRITABLE: Final = "it can't be written with what the text says"
TOO_LONG: Final = f"it grows beyond {LONGEST['sms']} characters"


class TextDesk:
    """Takes the texts that come in; what Twilio brings twice is on record once, and answered alike.

    Every method raises FormInvalid where a form lacks what every such webhook carries, and Changed or azure.core's
    errors where storage did not do its part: then Twilio should bring the text again.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        replies: Replies,
        own_numbers: AbstractSet[str],
        log: DeliveryLog,
        consents: Consents,
        lookups: Table,
        queue: Callable[[str], Queue],
        clock: Callable[[], datetime],
    ) -> None:
        """`own_numbers` are never answered, and neither are those that a rule is for."""
        self._settings = settings
        self._rules = (*replies.rules, *_by_default(settings))
        self._own = {person(number) for number in own_numbers | replies.numbers}
        self._log = log
        self._consents = consents
        self._lookups = lookups
        self._quota = Quota(lookups)
        self._queue = queue
        self._clock = clock

    async def take(self, form: Form) -> tuple[Delivery, Chosen | None]:
        """Put a text on record, with what it says of consent and which delivery it answers, and pass it on.

        Return it with the rule that answers it, if any: STOP, START and HELP, and our own numbers, are for none of the
        file's.
        """
        now = self._clock()
        answered = await find_answered(form, log=self._log, lookups=self._lookups, now=now)
        text = await file_text(self._log, form, answers=answered.id if answered else None, now=now)
        if text.erased:
            return text, None
        said = await heed(self._consents, form, text)
        await self._note_answer(text, found=answered)
        chosen = self._choose(text, form, said)
        if chosen is not None and chosen.rule.forward is not None:
            await self._queue(chosen.rule.forward).put(forwarded(text, form, chosen))
        return text, chosen

    async def answer(self, form: Form) -> str:
        """Take a text, and return the TwiML that answers it, which may be nothing."""
        text, chosen = await self.take(form)
        if chosen is None or chosen.rule.does_nothing:
            return SILENCE
        body, problem = self._write(text, chosen)
        media = chosen.rule.reply.media
        if problem is None and (body or media):
            problem = await self._held_back(text, form, chosen)
        await self._note(text, chosen.rule, body, problem)
        told = callback_url(self._settings.public_base_url, "sms/status", delivery=text.id)
        return SILENCE if problem else twiml(body, media, status_callback=told)

    def _choose(self, text: Delivery, form: Form, said: Said | None) -> Chosen | None:
        body = form.get("Body") or ""
        own, other = text.to or "", text.from_ or ""
        if person(bare(other)) in self._own or person(other) == person(own):
            return None
        if said is None:
            return choose(self._rules, body, at={*spellings(bare(own)), form.get("MessagingServiceSid") or ""})
        reply = reply_to(
            said.word,
            opt_out_type=form.get("OptOutType"),
            is_answered=said.is_answered,
            is_repeated=said.is_repeated,
            settings=self._settings,
        )
        return Chosen(Rule(name=said.word, is_keyword=True, reply=Reply(Plain(reply))), body) if reply else None

    def _write(self, text: Delivery, chosen: Chosen) -> tuple[str, str | None]:
        """Return what a reply says, or why it can't be said."""
        said = chosen.rule.reply.text
        values = {"rest": chosen.rest, "sender": text.from_ or "", "number": text.to or ""}
        try:
            # of nothing but white space Twilio makes no message
            body = "" if said is None else writable(said.render(values)).strip()
        except Exception as exc:  # noqa: BLE001 - whatever it ends in, Twilio gets its TwiML
            # what it says may hold a value
            about(_logger, text.id).error("a reply that can't be written: %s", type(exc).__name__)
            return "", UNWRITABLE
        if len(body) > LONGEST["sms"]:
            return "", TOO_LONG
        return plain(body) if self._settings.plain_punctuation else body, None

    async def _held_back(self, text: Delivery, form: Form, chosen: Chosen) -> str | None:
        """Return why a text is not answered, if so."""
        if not chosen.rule.is_keyword:
            for sender in filter(None, (text.to, form.get("MessagingServiceSid"))):
                if await self._consents.is_opted_out(text.from_ or "", sender):
                    return OPTED_OUT
        most = MOST_REPLIES if chosen.rule.is_keyword else self._settings.replies_per_hour
        if await self._quota.take(text.from_ or "", text_id=text.id, at=text.created_at, most=most):
            return None
        about(_logger, text.id).warning("not answered: %d replies to its sender within the hour", most)
        return f"its sender had {most} replies within the hour"

    async def _note_answer(self, text: Delivery, *, found: Delivery | None) -> None:
        """Note on the delivery that a text answers that it did; when it comes again, another one may be found."""
        if text.answers is None:
            return
        is_found = found is not None and found.id == text.answers
        answered = found if is_found else await self._log.get(text.answers)
        if answered is not None and not answered.erased:
            what = {"message": text.id}
            event = Event(key=f"{text.id}:answer", kind="answer", status=answered.status, at=text.created_at, raw=what)
            await self._log.note(answered, event)

    async def _note(self, text: Delivery, rule: Rule, body: str, problem: str | None) -> None:
        """Note on a text what became of it."""
        what: dict[str, Any] = {
            "rule": rule.name,
            "forwarded": rule.forward,
            "text": body,
            "media": list(rule.reply.media),
            "problem": problem,
        }
        raw = {name: value for name, value in what.items() if value}
        event = Event(key=f"{text.id}:reply", kind="reply", status=text.status, at=self._clock(), raw=raw)
        await self._log.note(text, event)


def _by_default(settings: Settings) -> tuple[Rule, ...]:
    return (Rule(name=DEFAULT, reply=Reply(Plain(settings.sms_reply))),) if settings.sms_reply else ()
