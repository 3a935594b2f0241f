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
    Settings: `AzureWebJobs.NAME.Disabled` (or `AzureWebJobs_NAME_Disabled`) set to `true` or `1` disables a function;
    `AzureFunctionsJobHost__path__to__name` overrides host.json. A host.json without `"version": "2.0"` is refused.
    Imports: installed packages come before the modules of the app's folder.
    A timeout: a function that runs longer than functionTimeout fails, and with it every function that runs. HTTP
    requests answer 500, messages come again after visibilityTimeout. Then the process restarts itself on the same port,
    with a line in the log. On Windows the new process is a child of the old one.

Where it differs from Azure
    Function keys are not checked, whatever the authLevel, as with Core Tools. A disabled HTTP function answers 404 to
    everybody; Azure still runs it for the master key.
    Other triggers, input and output bindings, retry policies and a schedule that cannot be read are refused at the
    start. Azure loads the other functions.
    The queue of a trigger is created at the start. Azure waits until something else creates it.
    A refusal of the storage (403) is logged and waited out. Azure's host shuts down.
    After a timeout, async functions get a CancelledError, and up to the grace time (5 s) to end. Azure's worker process
    ends at once. New requests are refused while the process restarts; on Azure they wait for the new worker.
    Timers keep no record: `past_due` is always false, and what was missed while the host was down stays missed.
    Nothing is shared between instances: run one. There is no dynamic concurrency, no HTTP throttling, no admin API, no
    CORS and no metrics.
    The scheme of `req.url` is always http. Escapes of the path stay as sent in `req.url`, where Azure normalizes them.
    host.json must exist, and comments in it are refused. A setting that is set to nothing overrides nothing.

The rules are those of the host's sources: https://github.com/Azure/azure-functions-host (HTTP, workers),
https://github.com/Azure/azure-sdk-for-net (sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Queues) and
https://github.com/Azure/azure-functions-python-worker; host.json is documented at
https://learn.microsoft.com/azure/azure-functions/functions-host-json.
"""

from local.host.errors import HostError
from local.host.host import Host

__all__ = ["Host", "HostError"]
