"""The REST API, as `/2010-04-01` serves it.

https://www.twilio.com/docs/usage/api
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from local.twilio import calls, message_life, messages, recordings
from local.twilio.account import account_json
from local.twilio.calls import Call, call_json
from local.twilio.dates import now, time_filters
from local.twilio.errors import RestError
from local.twilio.exchange import Exchange
from local.twilio.forms import first
from local.twilio.messages import Message, message_json
from local.twilio.network import Network
from local.twilio.paging import page_of
from local.twilio.recordings import Recording
from local.twilio.store import Record, Store

R = TypeVar("R", bound=Record)


class RestApi:
    """The resources, and the one gate that every request to them passes."""

    def __init__(self, network: Network, exchange: Exchange) -> None:
        self._network = network
        self._exchange = exchange
        self._account = network.account

    def application(self) -> web.Application:
        """What is served below `/2010-04-01`."""
        app = web.Application(middlewares=[self.gate])
        account = "/Accounts/{account}"
        app.add_routes(
            [
                web.get(f"{account}.json", self.fetch_account),
                web.post(f"{account}/Messages.json", self.create_message),
                web.get(f"{account}/Messages.json", self.list_messages),
                web.get(f"{account}/Messages/{{sid}}.json", self.fetch_message),
                web.post(f"{account}/Messages/{{sid}}.json", self.update_message),
                web.delete(f"{account}/Messages/{{sid}}.json", self.delete_message),
                web.post(f"{account}/Calls.json", self.create_call),
                web.get(f"{account}/Calls.json", self.list_calls),
                web.get(f"{account}/Calls/{{sid}}.json", self.fetch_call),
                web.post(f"{account}/Calls/{{sid}}.json", self.update_call),
                web.delete(f"{account}/Calls/{{sid}}.json", self.delete_call),
                web.get(f"{account}/Recordings.json", self.list_recordings),
                web.get(f"{account}/Calls/{{call}}/Recordings.json", self.list_recordings_of_call),
                web.get(f"{account}/Recordings/{{sid}}.json", self.fetch_recording),
                web.delete(f"{account}/Recordings/{{sid}}.json", self.delete_recording),
            ]
        )
        return app

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, unless a fault is to be made."""
        return await self._network.faults.meet(request, lambda: self._answer(request, handler))

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who asks, what is refused, in which shape."""
        try:
            self._admit(request)
            return await handler(request)
        except RestError as error:
            return web.json_response(error.body(), status=error.status)
        except web.HTTPNotFound:
            return self._refusal(_not_found(request))
        except web.HTTPMethodNotAllowed:
            return self._refusal(RestError(20004))

    async def fetch_account(self, _request: web.Request) -> web.Response:
        """Account: fetch."""
        return web.json_response(account_json(self._account, created=self._network.started))

    async def create_message(self, request: web.Request) -> web.Response:
        """Message: create."""
        order = messages.read_order(await _form(request), now=now())
        message = message_life.send(self._network, order)
        await self._network.accept(message.sid, order.status_callback)
        return self._shown(message, status=201)

    async def list_messages(self, request: web.Request) -> web.Response:
        """Message: list."""
        query = dict(request.query)
        sent = list(time_filters(query, "DateSent"))
        tests: list[Callable[[Message], bool]] = [lambda message: all(test(message.sent) for test in sent)]
        if query.get("From"):
            tests.append(lambda message: message.from_ == query["From"])
        uri, store = self._account.uri("/Messages"), self._network.messages
        page = page_of(
            store,
            query,
            uri=uri,
            listing=self._network.listing,
            tests=tests,
            show=self._message,
            name="messages",
            sent=lambda message: message.sent,
        )
        return web.json_response(page)

    async def fetch_message(self, request: web.Request) -> web.Response:
        """Message: fetch."""
        return self._shown(_found(self._network.messages, request))

    async def update_message(self, request: web.Request) -> web.Response:
        """Message: redact with an empty Body, or cancel with Status."""
        message, form = _found(self._network.messages, request), await _form(request)
        status = first(form, "Status")
        if status is not None:
            if status != "canceled":
                raise RestError(20001, "The 'Status' parameter can be: canceled")
            message = message_life.cancel(self._network, message)
        if "Body" in form:
            if first(form, "Body") is not None:
                raise RestError(20001, "The 'Body' parameter can only be empty, which redacts the message.")
            message = message_life.redact(self._network, message)
        return self._shown(message)

    async def delete_message(self, request: web.Request) -> web.Response:
        """Message: delete, once it has ended."""
        message = _found(self._network.messages, request)
        if message.status not in messages.ENDED:
            raise RestError(20009)
        self._network.messages.remove(message.sid)
        return web.Response(status=204)

    async def create_call(self, request: web.Request) -> web.Response:
        """Call: create."""
        order = calls.read_order(await _form(request))
        call = self._exchange.dial(order)
        await self._network.accept(call.sid, order.status_callback.url if order.status_callback else None)
        return self._shown(call, status=201)

    async def list_calls(self, request: web.Request) -> web.Response:
        """Call: list."""
        query = dict(request.query)
        started, ended = list(time_filters(query, "StartTime")), list(time_filters(query, "EndTime"))
        tests: list[Callable[[Call], bool]] = [
            lambda call: all(test(call.started) for test in started) and all(test(call.ended) for test in ended)
        ]
        if query.get("From"):
            tests.append(lambda call: call.from_ == query["From"])
        if query.get("ParentCallSid"):
            tests.append(lambda call: call.parent_sid == query["ParentCallSid"])
        if query.get("Status"):
            tests.append(lambda call: call.status == query["Status"])
        uri, store = self._account.uri("/Calls"), self._network.calls
        listing = self._network.listing
        page = page_of(store, query, uri=uri, listing=listing, tests=tests, show=self._call, name="calls")
        return web.json_response(page)

    async def fetch_call(self, request: web.Request) -> web.Response:
        """Call: fetch."""
        return self._shown(_found(self._network.calls, request))

    async def update_call(self, request: web.Request) -> web.Response:
        """Call: cancel or hang up with Status, or go on elsewhere with Url or Twiml."""
        call, form = _found(self._network.calls, request), await _form(request)
        status, source = first(form, "Status"), calls.read_source(form)
        if status is not None:
            if status not in {"canceled", "completed"}:
                raise RestError(20001, "The 'Status' parameter can be: canceled, completed")
            call = self._exchange.end(call, status=status)
        elif source is not None:
            call = self._exchange.redirect(call, source, fallback=calls.read_fallback(form))
        return self._shown(call)

    async def delete_call(self, request: web.Request) -> web.Response:
        """Call: delete, once it has ended."""
        call = _found(self._network.calls, request)
        if not self._exchange.is_over(call):
            raise RestError(20009)
        self._network.calls.remove(call.sid)
        return web.Response(status=204)

    async def list_recordings(self, request: web.Request) -> web.Response:
        """Recording: list, of all calls or of one."""
        query = dict(request.query)
        created = list(time_filters(query, "DateCreated"))
        tests: list[Callable[[Recording], bool]] = [
            lambda recording: all(test(recording.created) for test in created),
            lambda recording: query.get("CallSid") in {None, "", recording.call_sid},
        ]
        uri, store = self._account.uri("/Recordings"), self._network.recordings
        listing = self._network.listing
        page = page_of(store, query, uri=uri, listing=listing, tests=tests, show=self._recording, name="recordings")
        return web.json_response(page)

    async def list_recordings_of_call(self, request: web.Request) -> web.Response:
        """Call recording: list."""
        sid = request.match_info["call"]
        if self._network.calls.get(sid) is None:
            raise _not_found(request)
        tests: list[Callable[[Recording], bool]] = [lambda recording: recording.call_sid == sid]
        uri, store = self._account.uri(f"/Calls/{sid}/Recordings"), self._network.recordings
        show = partial(recordings.call_recording_json, self._account)
        query, listing = dict(request.query), self._network.listing
        page = page_of(store, query, uri=uri, listing=listing, tests=tests, show=show, name="recordings")
        return web.json_response(page)

    async def fetch_recording(self, request: web.Request) -> web.Response:
        """Recording: fetch."""
        return web.json_response(self._recording(_found(self._network.recordings, request)))

    async def delete_recording(self, request: web.Request) -> web.Response:
        """Recording: delete."""
        self._network.recordings.remove(_found(self._network.recordings, request).sid)
        return web.Response(status=204)

    def _admit(self, request: web.Request) -> None:
        owner = request.match_info.get("account", self._account.sid)
        if not self._account.admits(request.headers.get("Authorization")) or owner != self._account.sid:
            raise RestError(20003)

    def _refusal(self, error: RestError) -> web.Response:
        return web.json_response(error.body(), status=error.status)

    def _message(self, message: Message) -> dict[str, object]:
        return message_json(self._account, message)

    def _call(self, call: Call) -> dict[str, object]:
        return call_json(self._account, call)

    def _recording(self, recording: Recording) -> dict[str, object]:
        return recordings.recording_json(self._account, recording)

    def _shown(self, record: Message | Call, *, status: int = 200) -> web.Response:
        shown = self._message(record) if isinstance(record, Message) else self._call(record)
        return web.json_response(shown, status=status)


def _found(store: Store[R], request: web.Request) -> R:
    record = store.get(request.match_info["sid"])
    if record is None:
        raise _not_found(request)
    return record


def _not_found(request: web.Request) -> RestError:
    return RestError(20404, f"The requested resource {request.path} was not found")


async def _form(request: web.Request) -> dict[str, list[str]]:
    """The posted fields in order, blank and repeated ones kept; files are none of Twilio's."""
    form: dict[str, list[str]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, str):
            form.setdefault(name, []).append(value)
    return form
