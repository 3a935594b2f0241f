"""How far a timer's run looks ahead. Pure."""

from datetime import timedelta
from typing import Final

AHEAD: Final = timedelta(seconds=1) - timedelta(microseconds=1)
"""Azure may fire a timer some milliseconds early, as at 08:59:59.995 ("likely under 1 second due to clock skew"):
https://github.com/Azure/azure-webjobs-sdk-extensions/blob/dev/src/WebJobs.Extensions/Extensions/Timers/Listener/TimerListener.cs
Without a look ahead, the rows of 09:00 would wait for the next run. Nothing is sent before its time all the same."""
