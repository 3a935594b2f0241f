"""Everything at once."""

from local.harness.backdrop import Backdrop
from local.harness.soak import soak
from tests.faults.ways import scenario


@scenario("a short soak sends everything once")
async def short(backdrop: Backdrop) -> None:
    """Two hosts, 60 requests, all faults."""
    async with backdrop.with_other_storage() as own:
        outcome = await soak(own, requests=60, seed=20260302, say=print)
    assert str(outcome) == "sent once, twice, lost: 60, 0, 0", outcome.notes
