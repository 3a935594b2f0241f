"""Which request meets which fault: by rule, or at random with a seed; and the disorder of callbacks."""

import time
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Annotated, Any, Literal, Self

import msgspec
from aiohttp import web

from local.twilio.callbacks import Disorder, Disordered, Rate
from local.twilio.faults import FAULTS, FaultName, Figures, Met, Proceed

Operation = Literal["create", "list", "fetch", "update", "delete", "any"]
Resource = Literal["messages", "calls", "recordings", "account", "any"]


class Asked(msgspec.Struct, frozen=True):
    """What a request asks of which resource, for which recipient (of a create or a list), and which page of a list."""

    on: str
    resource: str
    to: str | None
    page: int | None = None


class Where(Figures, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a fault is for."""

    on: Operation = "create"
    resource: Resource = "any"

    def fits(self, asked: Asked) -> bool:
        """Whether a request is one of them."""
        return self.on in {"any", asked.on} and self.resource in {"any", asked.resource}


class Rule(Where, frozen=True, kw_only=True):
    """A fault for every request that fits: `times` times and for `lasts` seconds, or for ever.

    With `page`, it is for that page of a list alone; the first is 0.
    """

    fault: FaultName
    to: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    lasts: float | None = None
    page: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def fits(self, asked: Asked) -> bool:
        """Whether a request is one of them."""
        return super().fits(asked) and self.to in {None, asked.to} and self.page in {None, asked.page}


class Randomly(Where, frozen=True, kw_only=True):
    """Faults at random: each at its rate, 1.0 being always; the same seed makes the same row of faults."""

    seed: int
    rates: dict[FaultName, Rate]

    def __post_init__(self) -> None:
        if sum(self.rates.values()) > 1:
            raise ValueError("expected rates that add up to at most 1")


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All faults that are to be made: the first rule that fits, else one at random; and those of callbacks."""

    rules: tuple[Rule, ...] = ()
    random: Randomly | None = None
    callbacks: Disorder | None = None

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read JSON, as local/twilio/control.py describes it; msgspec.MsgspecError says what is wrong with it."""
        read = msgspec.json.decode(text, type=tuple[Rule, ...] | cls)
        return read if isinstance(read, cls) else cls(rules=read)


class Faults:
    """The faults that are being made, and how many of each were (`made`).

    `followed` counts the requests that came where redirections lead, by their method; with credentials by
    `METHOD with credentials`.
    """

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.followed: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Make no more faults."""
        self.follow(FaultPlan())

    def follow(self, plan: FaultPlan) -> None:
        """Make these, and none of those before."""
        self._standing = [_Standing(rule) for rule in plan.rules]
        self._random = plan.random
        self._draws = Random(plan.random.seed if plan.random else 0)  # noqa: S311 - no secret, and it has to repeat
        self._callbacks = plan.callbacks
        self.disordered = Disordered(plan.callbacks or Disorder())

    def plan(self) -> FaultPlan:
        """What is being made at present; a rule that is used up is gone, `times` is what is left."""
        rules = tuple(standing.left() for standing in self._standing if standing.stands())
        return FaultPlan(rules=rules, random=self._random, callbacks=self._callbacks)

    def add(
        self,
        fault: FaultName,
        *,
        on: Operation = "create",
        resource: Resource = "any",
        to: str | None = None,
        times: int | None = None,
        lasts: float | None = None,
        page: int | None = None,
        **figures: Any,  # noqa: ANN401 - those of Figures
    ) -> None:
        """Add a rule behind the others; see Rule, and Figures for the figures that a fault knows."""
        rule = Rule(fault=fault, on=on, resource=resource, to=to, times=times, lasts=lasts, page=page, **figures)
        self._standing.append(_Standing(rule))

    def randomly(
        self,
        *,
        seed: int,
        rates: Mapping[FaultName, float],
        on: Operation = "create",
        resource: Resource = "any",
        retry_after: int | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Make faults at random wherever no rule fits; see Randomly."""
        self._random = Randomly(
            seed=seed, rates=dict(rates), on=on, resource=resource, retry_after=retry_after, seconds=seconds
        )
        self._draws = Random(seed)  # noqa: S311 - no secret, and it has to repeat

    def callbacks(
        self,
        *,
        seed: int = 0,
        duplicate: float = 0.0,
        lose: float = 0.0,
        shuffle: bool = False,
        reverse: bool = False,
        delay: float = 0.0,
        delayed: float = 1.0,
        before_answer: float = 0.0,
    ) -> None:
        """Bring the status callbacks of lives that begin from now on into disorder; see Disorder."""
        self._callbacks = Disorder(
            seed=seed,
            duplicate=duplicate,
            lose=lose,
            shuffle=shuffle,
            reverse=reverse,
            delay=delay,
            delayed=delayed,
            before_answer=before_answer,
        )
        self.disordered = Disordered(self._callbacks)

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Answer a request that a redirection led away, and count it."""
        credentials = " with credentials" if "Authorization" in request.headers else ""
        self.followed[f"{request.method}{credentials}"] += 1
        return web.json_response({"message": "This is not Twilio."})

    async def meet(self, request: web.Request, proceed: Proceed) -> web.StreamResponse:
        """Answer a request: by `proceed`, unless a fault is due."""
        due = self._due(await _asked(request, reads=any(standing.rule.to for standing in self._standing)))
        if due is None:
            return await proceed()
        name, figures = due
        self.made[name] += 1
        return await FAULTS[name](Met(request, proceed, figures, self._draws))

    def _due(self, asked: Asked) -> tuple[FaultName, Where] | None:
        for standing in self._standing:
            if standing.take(asked):
                return standing.rule.fault, standing.rule
        if self._random is None or not self._random.fits(asked):
            return None
        drawn = self._draws.random()
        for name, rate in self._random.rates.items():
            drawn -= rate
            if drawn < 0:
                return name, self._random
        return None


class _Standing:
    """A rule, and what is left of it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._taken = 0
        self._until = None if rule.lasts is None else time.monotonic() + rule.lasts

    def stands(self) -> bool:
        used_up = self.rule.times is not None and self._taken >= self.rule.times
        return not used_up and (self._until is None or time.monotonic() < self._until)

    def take(self, asked: Asked) -> bool:
        """Whether the fault is for this request; it is one of its times then."""
        if not (self.stands() and self.rule.fits(asked)):
            return False
        self._taken += 1
        return True

    def left(self) -> Rule:
        times, until = self.rule.times, self._until
        return msgspec.structs.replace(
            self.rule,
            times=None if times is None else times - self._taken,
            lasts=None if until is None else round(until - time.monotonic(), 3),
        )


async def _asked(request: web.Request, *, reads: bool) -> Asked:
    """What a request asks; the recipient of a create only where it `reads` the body for it."""
    *_, above, last = request.path.removesuffix(".json").split("/")
    item = "sid" in request.match_info
    resource = "account" if above == "Accounts" else (above if item else last).lower()
    on = {"POST": "update" if item else "create", "DELETE": "delete"}.get(
        request.method, "fetch" if item or resource == "account" else "list"
    )
    to: object = request.query.get("To")
    if on == "create" and reads:
        to = (await request.post()).get("To")
    page = request.query.get("Page", "0")
    return Asked(
        on=on,
        resource=resource,
        to=to if isinstance(to, str) else None,
        page=int(page) if on == "list" and page.isdecimal() else None,
    )
