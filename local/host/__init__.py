"""An Azure Functions host for a laptop without Core Tools.

It runs a Python (v2 model) function app over real HTTP, real queues and real timers, with the real host's rules.

What it does
    HTTP triggers: routePrefix, routes with parameters, optional parameters, catch-alls and the usual constraints;
    methods; the first match in the order of the functions' names; 404 without a body where nothing matches, a wrong
    method included; `req.url` with path and query exactly as they were sent; `req.params` without blank values and with
    repeated ones joined by commas; a body only where a Content-Length announces one, at most 100 MB; a function that
    raises or takes too long answers 500 without a body.
    Queue triggers: base64 or plain messages; batchSize, newBatchThreshold, maxPollingInterval with exponential
    back-off, maxDequeueCount, visibilityTimeout; a lease of ten minutes that is renewed while the function runs; the
    poison queue, made when it is needed. A text trigger (dataType other than BINARY) fails on bytes that are no UTF-8.
    Timer triggers: NCRONTAB of five or six fields, in UTC, one run at a time; runOnStartup.
    All: `%NAME%` from the settings, functionTimeout, `context`, async functions on one event loop and the others in a
    thread pool of PYTHON_THREADPOOL_THREAD_COUNT.

What it does not do
    Function keys are not checked, whatever the authLevel, as with Core Tools. Other triggers, input and output
    bindings and retry policies are refused at the start. Timers keep no record: `past_due` is always false, and what
    was missed while the host was down stays missed. Nothing is shared between instances: run one. There is no dynamic
    concurrency, no HTTP throttling, no admin API, no CORS and no metrics. A sync function that outlives the timeout
    cannot be stopped: it counts as failed, and its thread is lost until it ends (Azure restarts the whole worker). The
    scheme of `req.url` is always http. Escapes of the path stay as sent in `req.url`, where Azure normalizes them.

The rules are those of the host's sources: https://github.com/Azure/azure-functions-host (HTTP, workers),
https://github.com/Azure/azure-sdk-for-net (sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Queues) and
https://github.com/Azure/azure-functions-python-worker; host.json is documented at
https://learn.microsoft.com/azure/azure-functions/functions-host-json.
"""

from local.host.errors import HostError
from local.host.host import Host

__all__ = ["Host", "HostError"]
