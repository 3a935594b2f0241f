"""One webhook, called as the worker calls it; and the two parts of it that are no storage: the signature, the TwiML."""

from collections.abc import Sequence
from http import HTTPStatus

import azure.functions as func

from bench import forms
from bench.ways.ours import Ours
from bench.ways.sample import Sample
from bench.ways.way import Job, Place

SIGNATURE = "signature"
TWIML = "TwiML"
_OK = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})


class Webhook(Ours):
    """It is told the function, or which part."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._what = place.told

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Write so many requests of Twilio."""
        make = {SIGNATURE: self._signature, TWIML: self._twiml}.get(self._what, self._whole)
        return [make() for _ in samples]

    def _whole(self) -> Job:
        posted = forms.post(self._what)
        function = getattr(self._app, self._what)
        url = f"http://internal.invalid{posted.target}"
        request = func.HttpRequest(method="POST", url=url, headers=posted.headers, body=posted.body)

        async def job() -> None:
            answer = await function(request)
            if answer.status_code not in _OK:
                raise SystemExit(f"expected {self._what} to be answered, got {answer.status_code}")

        return job

    def _signature(self) -> Job:
        from shared.inbound.form import Form  # noqa: PLC0415 - the app is imported with its settings
        from shared.inbound.signature import verify_signature  # noqa: PLC0415 - as above

        posted = forms.post("sms_inbound")
        tokens = [self._app.settings.auth_token]

        async def job() -> None:
            verify_signature(
                url=forms.PUBLIC + posted.target,
                form=Form.parse(posted.body),
                signature=posted.headers["X-Twilio-Signature"],
                tokens=tokens,
            )

        return job

    def _twiml(self) -> Job:
        from shared.voice import twiml  # noqa: PLC0415 - the app is imported with its settings

        async def job() -> None:
            twiml.say(self._app.settings.voice_greeting)

        return job
