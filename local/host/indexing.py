"""From a FunctionApp to typed descriptions of its functions."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from local.host.errors import HostError
from local.host.settings import resolve
from shared.calendar.ncrontab import Ncrontab, NcrontabInvalid

_CONTEXT = "context"
_DEFAULT_CONNECTION = "AzureWebJobsStorage"


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """A route without the prefix, and its methods in capitals; None is all of them."""

    route: str
    methods: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A queue, the name of its connection, and whether the function gets bytes that need not be text."""

    queue: str
    connection: str
    binary: bool


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """When to run."""

    schedule: Ncrontab
    run_on_startup: bool


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app: what calls it, and how it is called. Nothing calls a disabled one."""

    name: str
    call: Callable[..., Any]
    is_async: bool
    argument: str
    wants_context: bool
    trigger: HttpTrigger | QueueTrigger | TimerTrigger
    disabled: bool = False


def index(app: func.FunctionApp, *, settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Describe the app's functions, in the order of their names, which is the order that Azure routes in.

    Asks the app once, since azure-functions answers only once. Raises HostError for whatever this host cannot run.
    """
    functions = [_describe(function, settings=settings) for function in app.get_functions()]
    return tuple(sorted(functions, key=lambda function: function.name.casefold()))


def _describe(function: func.Function, *, settings: Mapping[str, str]) -> Function:
    name = str(function.get_function_name())
    if function.get_settings_dict("retry_policy"):
        raise HostError(f"function {name} has a retry policy, which the embedded host does not support")
    binding = _only_trigger(name, function.get_bindings_dict()["bindings"])
    call = function.get_user_function()
    return Function(
        name=name,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        argument=binding["name"],
        wants_context=_wants_context(name, call, binding["name"]),
        trigger=_trigger(name, binding, settings=settings),
        disabled=_is_disabled(name, settings=settings),
    )


def _is_disabled(name: str, *, settings: Mapping[str, str]) -> bool:
    """Tell whether a setting disables the function. The second spelling is for Linux, whose names may have no dots.

    https://learn.microsoft.com/azure/azure-functions/disable-function, and IsDisabled in
    https://github.com/Azure/azure-webjobs-sdk for the spellings and the values
    """
    spellings = {f"azurewebjobs.{name}.disabled".lower(), f"azurewebjobs_{name}_disabled".lower()}
    return any(key.lower() in spellings and value.lower() in {"1", "true"} for key, value in settings.items())


def _only_trigger(name: str, bindings: list[dict[str, Any]]) -> dict[str, Any]:
    triggers = [binding for binding in bindings if str(binding["type"]).endswith("Trigger")]
    for binding in bindings:
        is_response = binding["type"] == "http" and binding["name"] == "$return"
        if binding not in triggers and not is_response:
            raise HostError(
                f"function {name} has a binding of type {binding['type']}, which the embedded host does not support"
            )
    if len(triggers) != 1:
        raise HostError(f"function {name} must have exactly one trigger, not {len(triggers)}")
    return triggers[0]


def _wants_context(name: str, call: Callable[..., Any], argument: str) -> bool:
    parameters = set(inspect.signature(call).parameters)
    if argument not in parameters:
        raise HostError(f"function {name} has no parameter {argument}, which its trigger is bound to")
    if unbound := sorted(parameters - {argument, _CONTEXT}):
        raise HostError(f"function {name} has parameters that nothing is bound to: {', '.join(unbound)}")
    return _CONTEXT in parameters and argument != _CONTEXT


def _trigger(
    name: str, binding: dict[str, Any], *, settings: Mapping[str, str]
) -> HttpTrigger | QueueTrigger | TimerTrigger:
    match binding["type"]:
        case "httpTrigger":
            return _http(name, binding)
        case "queueTrigger":
            queue = resolve(binding["queueName"], settings=settings, where=f"the queue of function {name}")
            return QueueTrigger(
                queue=queue.lower(),
                connection=binding.get("connection") or _DEFAULT_CONNECTION,
                binary=binding.get("dataType") == func.DataType.BINARY,
            )
        case "timerTrigger":
            text = resolve(binding["schedule"], settings=settings, where=f"the schedule of function {name}")
            try:
                schedule = Ncrontab.parse(text)
            except NcrontabInvalid as exc:
                raise HostError(f"the schedule of function {name} cannot be used: {exc}") from exc
            return TimerTrigger(schedule=schedule, run_on_startup=bool(binding.get("runOnStartup")))
        case other:
            raise HostError(f"function {name} has a trigger of type {other}, which the embedded host does not support")


def _http(name: str, binding: dict[str, Any]) -> HttpTrigger:
    methods = frozenset(str(getattr(method, "value", method)).upper() for method in binding.get("methods") or ())
    return HttpTrigger(route=binding.get("route") or name, methods=methods or None)
