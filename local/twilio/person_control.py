"""What people do: the endpoints that put somebody at a number, and have them act while a call lives.

| request | does |
|---|---|
| PUT /simulator/numbers/{number} | somebody is there from now on: `{"answers": "busy"}`, or a list, one for each call |
| GET /simulator/numbers | who was put where |
| DELETE /simulator/numbers/{number} | nobody special any more |
| POST /simulator/calls/{sid}/acts | the person at this end does one thing, or a list of them: `{"press": "1"}` |
| GET /simulator/calls/{sid} | one call; with `?until=listening`, `ended` or `heard` (and `text=`) when that is so |
| PUT /simulator/queues/{name} | `{"max_size": 1}`: how many fit into a queue |
| GET /simulator/queues, /conferences | who waits, and who is in |

A number is an address as calls have it, `client:` and `sip:` included; `*` is everybody whom nobody put anywhere. What
a person and an act can be is in people.py. `until` waits at most `&seconds=` (30) real ones, then answers 408.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from aiohttp import web

from local.twilio.answers import shown
from local.twilio.calls import ENDED, Call
from local.twilio.exchange import Exchange
from local.twilio.network import Network
from local.twilio.people import Act, Person
from local.twilio.queues import DEFAULT_MAX_SIZE

PATIENCE_SECONDS = 30.0
Test = Callable[[Call, str], bool]
UNTIL: Mapping[str, Test] = MappingProxyType(
    {
        "ended": lambda call, _text: call.status in ENDED,
        "listening": lambda call, _text: call.listening is not None or call.status in ENDED,
        "heard": lambda call, text: any(text in entry.what for entry in call.transcript) or call.status in ENDED,
    }
)


class QueueSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many callers fit into a queue."""

    max_size: int = DEFAULT_MAX_SIZE


class PersonControl:
    """The endpoints about people."""

    def __init__(self, network: Network, exchange: Exchange) -> None:
        self._network = network
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """What is served below `/simulator`."""
        return [
            web.put("/numbers/{number}", self.put_person),
            web.get("/numbers", self.people),
            web.delete("/numbers/{number}", self.forget_person),
            web.post("/calls/{sid}/acts", self.act),
            web.get("/calls/{sid}", self.call),
            web.put("/queues/{name}", self.set_queue),
            web.get("/queues", self.queues),
            web.get("/conferences", self.conferences),
        ]

    async def put_person(self, request: web.Request) -> web.Response:
        """Put somebody at a number."""
        people = msgspec.json.decode(await request.read(), type=Person | list[Person])
        self._network.people.put(request.match_info["number"], *(people if isinstance(people, list) else [people]))
        return web.Response(status=204)

    async def people(self, _request: web.Request) -> web.Response:
        """Who was put where."""
        return shown({"numbers": self._network.people.known()})

    async def forget_person(self, request: web.Request) -> web.Response:
        """Put nobody at a number any more."""
        self._network.people.forget(request.match_info["number"])
        return web.Response(status=204)

    async def act(self, request: web.Request) -> web.Response:
        """Have the person at a call's end do something."""
        acts = msgspec.json.decode(await request.read(), type=Act | list[Act])
        self._exchange.act(self._found(request), *(acts if isinstance(acts, list) else [acts]))
        return shown(self._found(request))

    async def call(self, request: web.Request) -> web.Response:
        """One call, as soon as it is as it should be."""
        sid, until = self._found(request).sid, request.query.get("until")
        if until is not None:
            test, text = UNTIL.get(until), request.query.get("text", "")
            if test is None:
                raise ValueError(f"expected `until` to be one of {', '.join(UNTIL)}")
            try:
                async with asyncio.timeout(float(request.query.get("seconds", PATIENCE_SECONDS))):
                    await self._network.until(lambda: test(self._network.calls[sid], text))
            except TimeoutError:
                return shown({"error": f"the call was not {until} in time"}, status=408)
        return shown(self._network.calls[sid])

    async def set_queue(self, request: web.Request) -> web.Response:
        """Set how many fit into a queue, which is made where it is not there."""
        setting = msgspec.json.decode(await request.read(), type=QueueSetting)
        self._network.queues.made(request.match_info["name"]).max_size = setting.max_size
        return web.Response(status=204)

    async def queues(self, _request: web.Request) -> web.Response:
        """Who waits in which queue."""
        return shown({"queues": self._network.queues.shown()})

    async def conferences(self, _request: web.Request) -> web.Response:
        """Who is in which conference."""
        return shown({"conferences": [room.shown() for room in self._network.conferences.values()]})

    def _found(self, request: web.Request) -> Call:
        call = self._network.calls.get(request.match_info["sid"])
        if call is None:
            raise ValueError("expected the SID of a call that is remembered")
        return call
