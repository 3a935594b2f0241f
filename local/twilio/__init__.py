"""A Twilio for one machine: messages and calls over REST, signed webhooks, and the TwiML of calls and replies.

It simulates
- Messages and Calls: create, fetch, list with filters and paging, update, delete; Recordings of calls that ask
  for one: fetch, list, delete; the account: fetch. HTTP Basic authentication, Twilio's error codes and shapes,
  answers as Twilio's OpenAPI document has them;
- the life of a message and of a call with their status callbacks: signed, in order, and tried again as the
  fragment of the URL asks (`#rc=5&rp=all`);
- what a call hears and does: Say, Play, Pause, Gather, Record, Dial (numbers, clients, SIP, queues, conferences),
  Enqueue, Leave, Sms, Redirect, Reject, Hangup, with their actions, callbacks, recordings and transcriptions, and what
  Twilio's debugger would show; a FallbackUrl when its TwiML cannot be had; answering machine detection;
- what people do at the other ends: they answer or not, press keys, speak, wait and hang up, as a script says or step
  by step (people.py; over HTTP person_control.py);
- texts and calls that come in, on request (local/twilio/control.py), and the replies that TwiML asks for;
- lists as Twilio documents them, or in adverse orders, over short pages, and late (lists.py);
- faults, on demand or at random with a seed: requests that are accepted and not answered, errors, rate limits, lists
  that break off (local/twilio/faults.py), proxies that answer in Twilio's place (stand_ins.py), and callbacks that
  come twice, late, early, in any order or not at all (callbacks.py).

It does not simulate: other verbs of calls (they are noted as `not simulated yet` and skipped), partial results of
speech, recordings of conferences, the REST resources of queues, conferences and transcriptions, media (those of
recordings neither), rate limits of its own, opt-out words, prices, subaccounts, or whether numbers belong to the
account. Nothing is kept when it ends.

Twilio's own test numbers are refused as Twilio does (https://www.twilio.com/docs/iam/test-credentials).
Anything else is delivered or answered, except
| to | a message | a call |
|---|---|---|
| +15005550101 | undelivered, 30003 | busy |
| +15005550102 | undelivered, 30005 | no-answer |
| +15005550103 | failed, 30008 | failed |
| +15005550104 | failed, 21610 (opted out) | answered by a machine, where detection is asked for |
| +15005550105 | stays sent | answered |
| +15005550106 | delivered, then read | answered |
| +15008CCCCC0 | failed with the code CCCCC | answered |
| +15008CCCCC1 | undelivered with the code CCCCC | answered |
| +15008CCCCC9 | refused by the create, with the code CCCCC | refused likewise |
The same holds for `whatsapp:` and other prefixes before the number, and for those whom Dial calls.

`python -m local.twilio --port P` starts it as a process; `Simulator.start` within a test.
"""

from local.twilio.server import Simulator

__all__ = ["Simulator"]
