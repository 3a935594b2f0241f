"""A place between the app and a service where things go wrong: every request is seen, and any can be spoilt.

    async with Proxy.start(target=endpoint(storage, "table"), service="table", hook=hook) as table:
        settings["AzureWebJobsStorage"] = through(storage, table=table.port)

The hook is asked before a request goes to the service and after it took effect there, and says what is to happen.
"""

from local.faults.actions import DROP, NEVER, PASS, Action, Answer, Do, Drop, Never, Pass
from local.faults.proxy import Hook, Proxy
from local.faults.seen import Seen, Service
from local.faults.storage import endpoint, through
from local.twilio.stand_ins import StandIn

__all__ = [
    "DROP",
    "NEVER",
    "PASS",
    "Action",
    "Answer",
    "Do",
    "Drop",
    "Hook",
    "Never",
    "Pass",
    "Proxy",
    "Seen",
    "Service",
    "StandIn",
    "endpoint",
    "through",
]
