from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest

from local.host.errors import HostError
from local.host.indexing import Function, HttpTrigger, QueueTrigger, TimerTrigger, index

SETTINGS = {"QUEUE": "Outbound", "CRON": "0 * * * * *"}


def indexed(app: func.FunctionApp) -> dict[str, Function]:
    return {function.name: function for function in index(app, settings=SETTINGS)}


def test_every_trigger_becomes_a_typed_description() -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

    @app.function_name("web")
    @app.route(route="a/{id}", methods=["GET", "POST"])
    async def first(req: func.HttpRequest) -> None: ...

    @app.queue_trigger("message", "%QUEUE%", "AzureWebJobsStorage", data_type=func.DataType.BINARY)
    def second(message: func.QueueMessage, context: func.Context) -> None: ...

    @app.timer_trigger(arg_name="timer", schedule="%CRON%", run_on_startup=True)
    async def third(timer: func.TimerRequest) -> None: ...

    functions = indexed(app)
    assert functions["web"].trigger == HttpTrigger(route="a/{id}", methods=frozenset({"GET", "POST"}))
    assert (functions["web"].is_async, functions["web"].wants_context) == (True, False)
    assert functions["second"].trigger == QueueTrigger("outbound", connection="AzureWebJobsStorage", binary=True)
    assert (functions["second"].is_async, functions["second"].wants_context) == (False, True)
    timer = functions["third"].trigger
    assert isinstance(timer, TimerTrigger)
    assert (timer.schedule.text, timer.run_on_startup) == ("0 * * * * *", True)


def test_functions_come_in_the_order_of_their_names() -> None:
    app = func.FunctionApp()
    for name in ("b", "C", "a"):
        app.function_name(name)(app.route(route=name)(lambda req: None))
    assert [function.name for function in index(app, settings={})] == ["a", "b", "C"]


def test_a_blueprints_functions_are_found() -> None:
    app = func.FunctionApp()
    blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves it untyped
    blueprint.route(route="x")(lambda req: None)
    app.register_functions(blueprint)
    assert len(indexed(app)) == 1


def refuse(decorate: Callable[[func.FunctionApp], Any], sentence: str) -> None:
    app = func.FunctionApp()
    decorate(app)
    with pytest.raises(HostError, match=sentence):
        index(app, settings=SETTINGS)


def test_other_bindings_are_refused() -> None:
    def decorate(app: func.FunctionApp) -> None:
        @app.route(route="x")
        @app.queue_output(arg_name="out", queue_name="q", connection="AzureWebJobsStorage")
        def send(req: func.HttpRequest, out: func.Out[str]) -> None: ...

    refuse(decorate, "^function send has a binding of type queue, which the embedded host does not support$")


def test_other_triggers_are_refused() -> None:
    def decorate(app: func.FunctionApp) -> None:
        @app.blob_trigger(arg_name="blob", path="x", connection="AzureWebJobsStorage")
        def read(blob: func.InputStream) -> None: ...

    refuse(decorate, "^function read has a trigger of type blobTrigger")


def test_retry_policies_are_refused() -> None:
    def decorate(app: func.FunctionApp) -> None:
        @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
        @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
        def tick(timer: func.TimerRequest) -> None: ...

    refuse(decorate, "^function tick has a retry policy")


def test_a_parameter_that_nothing_is_bound_to_is_refused() -> None:
    def decorate(app: func.FunctionApp) -> None:
        @app.route(route="x")
        def send(req: func.HttpRequest, more: str) -> None: ...

    refuse(decorate, "^function send has parameters that nothing is bound to: more$")


def test_a_binding_without_a_parameter_is_refused() -> None:
    def decorate(app: func.FunctionApp) -> None:
        @app.route(route="x", trigger_arg_name="request")
        def send(req: func.HttpRequest) -> None: ...

    refuse(decorate, "^function send has no parameter request")


@pytest.mark.parametrize(
    "name", ["AzureWebJobs.web.Disabled", "AzureWebJobs_web_Disabled", "azurewebjobs.WEB.disabled"]
)
@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_a_setting_disables_a_function(name: str, value: str) -> None:
    assert disabled({name: value}) == {"web": True, "webs": False}


@pytest.mark.parametrize(
    "settings", [{}, {"AzureWebJobs.web.Disabled": "false"}, {"AzureWebJobs.web.Disabled": ""}, {"web.Disabled": "1"}]
)
def test_other_settings_disable_nothing(settings: dict[str, str]) -> None:
    assert disabled(settings) == {"web": False, "webs": False}


def disabled(settings: dict[str, str]) -> dict[str, bool]:
    app = func.FunctionApp()
    for name in ("web", "webs"):
        app.function_name(name)(app.route(route=name)(lambda req: None))
    return {function.name: function.disabled for function in index(app, settings=settings)}
