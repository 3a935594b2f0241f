"""The timer itself, in the host: what was given up on is drained by it, without anybody's asking."""

from tests.end_to_end.stage import eventually, new_id, stage


async def test_what_the_host_gives_up_on_is_soon_in_the_one_place_to_look(azurite: str) -> None:
    mark = f"no base64: {new_id()}"
    async with stage(azurite, HOUSEKEEPING_CRON="* * * * * *") as everything:
        await everything.enqueue_text(mark)

        async def look() -> bool:
            found = [await everything.get(found["id"]) for found in await everything.search(status="rejected")]
            return mark in [delivery["request"] for delivery in found]

        await eventually(look)
        async with everything.queue("-poison") as poison:
            assert (await poison.get_queue_properties()).approximate_message_count == 0
