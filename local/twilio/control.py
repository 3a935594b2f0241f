"""What Twilio does not have: making texts and calls come in, and looking at what happened.

| request | does |
|---|---|
| POST /simulator/inbound/message | `{from, to, body, media_urls, url, fallback_url}`: answers the replies |
| POST /simulator/inbound/call | `{from, to, url, method, fallback_url, status_callback, acts, …}`: its SID |
| GET /simulator/messages, /calls | newest first, and how many there are: `?to=`, `?limit=` (100) |
| GET /simulator/webhooks | what was requested of the app, newest first: `?limit=` (100) |
| GET /simulator/accepted | how many creates were accepted, by the `delivery` in their StatusCallback's query |
| PUT /simulator/faults | what is to go wrong from now on, instead of what was: see below |
| GET, DELETE /simulator/faults | what is going wrong, and how many faults were `made`; makes no more |
| PUT, GET /simulator/lists | how the lists of the REST API come from now on, and come at present: see below |
| POST /simulator/reset | ends every life and forgets everything, the faults too; lists come as they did at first |

What people do at the ends of calls is in person_control.py: they press keys, speak, answer, hang up. A call that
comes in has the same `acts`, `hangs_up_after`, `live` and `real_time` as a person there, else those of whom was put at
the number that it comes from; `forwarded_from` and `caller_name` are what Twilio may know.

All of it is JSON. A mistake answers 400 with `{"error": …}`.

Faults are a list of rules, the first of which that fits is followed, or an object with any of these:
    {"rules": [{"fault": "429", "on": "create", "resource": "messages", "to": "+14155550100", "times": 3,
                "lasts": 60, "retry_after": 2}, {"fault": "slow", "on": "any", "seconds": 5},
               {"fault": "proxy-after", "status": 403, "body": "html", "retry_after": 2, "retry_after_date": true},
               {"fault": "500-before", "on": "list", "page": 1}],
     "random": {"seed": 1, "rates": {"drop-after": 0.02, "500-before": 0.01}, "on": "any", "resource": "calls"},
     "callbacks": {"seed": 1, "duplicate": 0.1, "lose": 0.01, "shuffle": true, "delay": 2, "before_answer": 0.5}}
`on` is create (if left out), list, fetch, update, delete or any; `resource` any (if left out), messages, calls,
recordings or account. A rule with `page` is for that page of a list alone; the first is 0. local/twilio/faults.py lists
the faults, callbacks.py says what callbacks can meet. GET also shows how many requests `followed` the redirection of a
proxy.

Lists are an object with any of these, which lists.py explains:
    {"order": "documented", "seed": 0, "undated": "anywhere", "late": 0, "late_seconds": [1, 5], "late_looks": 0}
`order` is documented (if left out), oldest-first or adverse; `undated` is anywhere, first or last.
"""

from itertools import islice
from typing import Literal, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio.answers import shown
from local.twilio.call_life import Plan
from local.twilio.calls import Call
from local.twilio.exchange import Exchange
from local.twilio.fault_plan import FaultPlan
from local.twilio.forms import is_url
from local.twilio.inbound import receive_text
from local.twilio.lists import Lists
from local.twilio.network import Network
from local.twilio.people import Act, People, Person
from local.twilio.person_control import PersonControl
from local.twilio.store import Record, Store
from local.twilio.twiml import Source

DEFAULT_LIMIT = 100
TEXT_PATH = "/api/sms/inbound#rc=5&rp=all"
CALL_PATH = "/api/voice/inbound"
STATUS_PATH = "/api/voice/status#rc=5&rp=all"
R = TypeVar("R", bound=Record)


class InboundText(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}, forbid_unknown_fields=True):
    """A text that somebody sends to the app."""

    from_: str
    to: str
    body: str = ""
    media_urls: tuple[str, ...] = ()
    url: str | None = None
    fallback_url: str | None = None


class InboundCall(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}, forbid_unknown_fields=True):
    """A call that somebody makes to the app."""

    from_: str
    to: str
    url: str | None = None
    method: Literal["GET", "POST"] = "POST"
    fallback_url: str | None = None
    status_callback: str | None = None
    forwarded_from: str | None = None
    caller_name: str | None = None
    acts: tuple[Act, ...] = ()
    hangs_up_after: float | None = None
    live: bool = False
    real_time: bool = False

    def person(self, people: People) -> Person:
        """Who calls: as this says, or as somebody was put at the number before."""
        if people.knows(self.from_) and not (self.acts or self.live or self.hangs_up_after is not None):
            return people.at(self.from_)
        return Person(acts=self.acts, hangs_up_after=self.hangs_up_after, live=self.live, real_time=self.real_time)


class Control:
    """The endpoints below `/simulator`; `webhooks` is the app, for texts and calls that name no URL."""

    def __init__(self, network: Network, exchange: Exchange, *, webhooks: str | None) -> None:
        self._network = network
        self._exchange = exchange
        self._webhooks = webhooks

    def application(self) -> web.Application:
        """What is served below `/simulator`."""
        app = web.Application(middlewares=[_faults_as_json])
        app.add_routes(
            [
                web.post("/inbound/message", self.inbound_message),
                web.post("/inbound/call", self.inbound_call),
                web.get("/messages", self.messages),
                web.get("/calls", self.calls),
                web.get("/webhooks", self.webhooks),
                web.get("/accepted", self.accepted),
                web.put("/faults", self.make_faults),
                web.get("/faults", self.faults),
                web.delete("/faults", self.clear_faults),
                web.put("/lists", self.set_lists),
                web.get("/lists", self.lists),
                web.post("/reset", self.reset),
                *PersonControl(self._network, self._exchange).routes(),
            ]
        )
        return app

    async def inbound_message(self, request: web.Request) -> web.Response:
        """Let a text come in, and show what the app answered."""
        text = msgspec.json.decode(await request.read(), type=InboundText)
        arrival = await receive_text(
            self._network,
            from_=text.from_,
            to=text.to,
            body=text.body,
            media=text.media_urls,
            source=self._source(text.url, TEXT_PATH),
            fallback=_optional(text.fallback_url),
        )
        return shown(arrival)

    async def inbound_call(self, request: web.Request) -> web.Response:
        """Let a call come in; it goes on by itself."""
        call = self.receive(msgspec.json.decode(await request.read(), type=InboundCall))
        return shown({"sid": call.sid}, status=201)

    def receive(self, asked: InboundCall) -> Call:
        """The same; ValueError where it names no URL, and there is no app."""
        plan = Plan(
            source=msgspec.structs.replace(self._source(asked.url, CALL_PATH), method=asked.method),
            fallback=_optional(asked.fallback_url),
            status_callback=_optional(asked.status_callback or self._default(STATUS_PATH)),
            person=asked.person(self._network.people),
        )
        return self._exchange.receive(
            from_=asked.from_,
            to=asked.to,
            plan=plan,
            forwarded_from=asked.forwarded_from,
            caller_name=asked.caller_name,
        )

    async def messages(self, request: web.Request) -> web.Response:
        """Messages, with the history of their statuses."""
        return _records(self._network.messages, request, name="messages")

    async def calls(self, request: web.Request) -> web.Response:
        """Calls, with the history of their statuses, transcripts and notes."""
        return _records(self._network.calls, request, name="calls")

    async def webhooks(self, request: web.Request) -> web.Response:
        """What was requested of the app, how often, and what it answered."""
        log = self._network.webhooks.log
        newest = list(reversed(log))[: _limit(request)]
        return shown({"webhooks": newest, "total": len(log)})

    async def accepted(self, _request: web.Request) -> web.Response:
        """How many creates were accepted for each delivery."""
        return shown(self._network.accepted)

    async def make_faults(self, request: web.Request) -> web.Response:
        """Make these faults from now on."""
        self._network.faults.follow(FaultPlan.read(await request.read()))
        return web.Response(status=204)

    async def faults(self, _request: web.Request) -> web.Response:
        """What is going wrong at present, how often each fault was made, and which redirections were followed."""
        faults = self._network.faults
        return shown({**msgspec.structs.asdict(faults.plan()), "made": faults.made, "followed": faults.followed})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Make no more faults."""
        self._network.faults.clear()
        return web.Response(status=204)

    async def set_lists(self, request: web.Request) -> web.Response:
        """Let lists come like this from now on."""
        self._network.listing.follow(msgspec.json.decode(await request.read(), type=Lists))
        return web.Response(status=204)

    async def lists(self, _request: web.Request) -> web.Response:
        """How lists come at present."""
        return shown(self._network.listing.now_on)

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget everything."""
        await self._network.reset()
        return web.Response(status=204)

    def _source(self, url: str | None, path: str) -> Source:
        if url is None and self._webhooks is None:
            raise ValueError("expected `url`, as the simulator was started without --webhooks")
        return _required(url if url is not None else self._default(path) or "")

    def _default(self, path: str) -> str | None:
        """What somebody would set at Twilio for this app."""
        return self._webhooks and f"{self._webhooks.rstrip('/')}{path}"


@web.middleware
async def _faults_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (ValueError, msgspec.MsgspecError) as exc:
        return shown({"error": str(exc)}, status=400)


def _required(url: str) -> Source:
    if not is_url(url):
        raise ValueError("expected an absolute http or https URL")
    return Source(url=url)


def _optional(url: str | None) -> Source | None:
    return None if url is None else _required(url)


def _records(store: Store[R], request: web.Request, *, name: str) -> web.Response:
    records = list(islice(store.newest(to=request.query.get("to")), _limit(request)))
    return shown({name: records, "total": len(store)})


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal():
        raise ValueError("expected `limit` to be a whole number")
    return int(text)
