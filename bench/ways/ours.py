"""This app: its functions, called as the worker calls them."""

import os
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import azure.functions as func
from azure.functions.queue import QueueMessage

from bench import forms
from bench.ways.sample import Callback, Sample
from bench.ways.way import Job, Place


class Ours:
    """The trigger of the outbound queue, then the status callbacks."""

    def __init__(self, place: Place) -> None:
        os.environ.update({**forms.settings(place.storage), "TWILIO_API_BASE_URL": place.twilio})
        import function_app  # noqa: PLC0415 - it reads the settings

        self._app: Any = function_app

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Make the queue's messages and Twilio's requests."""
        return [self._job(sample) for sample in samples]

    def _job(self, sample: Sample) -> Job:
        message = QueueMessage(id=sample.number, body=sample.request)  # type: ignore[no-untyped-call]  # the library carries no types there
        requests = [_request(callback) for callback in sample.callbacks()]
        status = self._app.sms_status if sample.kind == "text" else self._app.voice_status

        async def job() -> None:
            await self._app.outbound(message)
            for request in requests:
                answer = await status(request)
                if answer.status_code != HTTPStatus.NO_CONTENT:
                    raise SystemExit(f"expected 204 to a callback, got {answer.status_code}")

        return job

    async def ended(self, sample: Sample) -> bool:
        """Tell whether a message came to its end."""
        delivery = await self._app.wiring.log.get(sample.number)
        return delivery is not None and delivery.is_final and delivery.sid == sample.sid

    async def close(self) -> None:
        """Close the connections."""
        await self._app.wiring.close()


def _request(callback: Callback) -> func.HttpRequest:
    return func.HttpRequest(
        method="POST",
        url=callback.url,
        headers=callback.headers,
        params={},
        body=callback.body,
    )
