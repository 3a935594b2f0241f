"""The least there is: one POST with aiohttp."""

from collections.abc import Sequence

import aiohttp

from bench.forms import ACCOUNT, NUMBER, TOKEN
from bench.ways.sample import TO, Sample
from bench.ways.way import Job, Place


class Post:
    """No SDK, nothing on record."""

    def __init__(self, place: Place) -> None:
        self._session = aiohttp.ClientSession(auth=aiohttp.BasicAuth(ACCOUNT, TOKEN))
        self._url = f"{place.twilio}/2010-04-01/Accounts/{ACCOUNT}"

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Write each form."""
        return [self._job(sample) for sample in samples]

    def _job(self, sample: Sample) -> Job:
        what, content = (
            ("Messages", {"Body": sample.said}) if sample.kind == "text" else ("Calls", {"Twiml": sample.document})
        )
        form = {"To": TO, "From": NUMBER, **content}

        async def job() -> None:
            async with self._session.post(f"{self._url}/{what}.json", data=form) as answer:
                await answer.json()

        return job

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
