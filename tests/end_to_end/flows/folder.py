"""The app with the call flows of these tests beside those that all tests have."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from tests.end_to_end.stage import Stage, stage
from tests.web import app

OURS = Path(__file__).parent / "files"
COMMON = app.CONTENT / "flows"
SITE = "http://site.invalid"
"""stands for the site of a test in a flow's file"""
HOURS = """
answers = ["{number}"]

[hours]
open = [{open}]
holidays = [{holidays}]

[steps.hours]
choose = "hours"
open = "open"
closed = "closed"
holiday = "holiday"

[steps.open]
hangup = true
say = "We are open."

[steps.closed]
hangup = true
say = "We are closed."

[steps.holiday]
hangup = true
say = "We are on holiday."
"""
ALWAYS = '"daily 00:00-24:00"'
OPEN, CLOSED, HOLIDAY = "+14155550220", "+14155550221", "+14155550222"


@asynccontextmanager
async def with_flows(azurite: str, folder: Path, *, site: str, **more: str) -> AsyncIterator[Stage]:
    """Start everything with an app that has these flows, and no templates or rules."""
    write(folder, site=site)
    async with AsyncExitStack() as stack:
        with patch.object(app, "CONTENT", folder):
            everything = await stack.enter_async_context(stage(azurite, **more))
        yield everything
        # a call that a test left waiting would be waited for, and for ever
        await everything.twilio.reset()


def write(folder: Path, *, site: str) -> None:
    """Write the flows, of which those with hours do not go by the time of the day."""
    flows = folder / "flows"
    flows.mkdir()
    for file in (*OURS.glob("*.toml"), *COMMON.glob("*.toml")):
        (flows / file.name).write_text(_written(file, site=site), "utf-8")
    today = datetime.now(UTC).date()
    days = ", ".join(f'"{today + timedelta(days=days)}"' for days in (-1, 0, 1))
    for number, hours, holidays in ((OPEN, ALWAYS, ""), (CLOSED, "", ""), (HOLIDAY, ALWAYS, days)):
        content = HOURS.format(number=number, open=hours, holidays=holidays)
        (flows / f"hours-{number[1:]}.toml").write_text(content, "utf-8")


def _written(file: Path, *, site: str) -> str:
    lines = file.read_text("utf-8").replace(SITE, site).splitlines()
    replaced = {"open = [": f"open = [{ALWAYS}]", "holidays = [": "holidays = []"}
    return "\n".join(next((new for old, new in replaced.items() if line.startswith(old)), line) for line in lines)
