"""The examples in the help of each command: `python3 dev.py COMMAND --help`. A test parses every one."""

from collections.abc import Mapping
from typing import Final

_OF: Final[Mapping[str, str]] = {
    "run": """
        run
        run --once --reset
        run --port 7072 --twilio-port 7081 --storage-port 10010
    """,
    "send": """
        send --to +14155550100 --body "Your parcel is at the door." --follow
        send --to +14155550100 --say "This is the fire alarm."
        send --to +14155550100 --flow on-call --data '{"service": "Payments", "problem": "no answer", "incident": "B4"}'
        send --json request.json --id order-4711
    """,
    "show": """
        show order-4711
        show order-4711 --json
    """,
    "search": """
        search --address +14155550100 --since 2026-11-01
        search --status failed --error-code 30003 --limit 500
        search --status rejected --json
        search --url https://APP.azurewebsites.net --key KEY
    """,
    "tail": """
        tail
        tail --address +14155550100
        tail --json
    """,
    "replay": """
        replay order-4711
        replay --status failed --error-code 30008 --since 2026-11-01 --dry-run
        replay --status failed --channel sms --by Ada --yes
    """,
    "template": """
        template list
        template render order-shipped --locale de-AT --data '{"name": "Ada", "arrives": "2026-01-31"}'
        template check
    """,
    "flow": """
        flow list
        flow show on-call
        flow check
    """,
    "replies": """
        replies try "order 4711"
        replies list
        replies check
    """,
    "soak": """
        soak --requests 2000 --seed 1
        soak --schedules 10000
    """,
}


def of(command: str) -> str:
    """Return the examples of a command, as its help shows them."""
    lines = (line.strip() for line in _OF[command].strip().splitlines())
    return "\n".join(("examples:", *(f"  python3 dev.py {line}" for line in lines)))
