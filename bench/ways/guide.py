"""The guide's way: a synchronous client built in the function for each message, and nothing on record."""

from collections.abc import Sequence

from twilio.rest import Client

from bench.forms import ACCOUNT, NUMBER, TOKEN
from bench.ways.sample import TO, Sample
from bench.ways.way import Job, Place


class Guide:
    """https://learn.microsoft.com/azure/developer/python/: `Client(sid, token).messages.create(…)`."""

    def __init__(self, place: Place) -> None:
        self._twilio = place.twilio

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Bind each message."""
        return [self._job(sample) for sample in samples]

    def _job(self, sample: Sample) -> Job:
        async def job() -> None:
            client = Client(ACCOUNT, TOKEN)
            client.api.base_url = self._twilio
            if sample.kind == "text":
                client.messages.create(to=TO, from_=NUMBER, body=sample.said)
            else:
                client.calls.create(to=TO, from_=NUMBER, twiml=sample.document)

        return job

    async def close(self) -> None:
        """Nothing is open."""
