from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio import Simulator
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import Receiver

TO, FROM = "+14155550100", "+14155550199"
TWIML = "<Response><Pause length='9'/></Response>"


async def call(client: Client, simulator: Simulator, **options: object) -> str:
    """Make a call, and come back with its SID when it has ended."""
    created = await client.calls.create_async(**{"to": TO, "from_": FROM, "twiml": TWIML} | options)
    await simulator.settled()
    return str(created.sid)


async def test_a_recorded_call_has_a_recording_and_others_have_none(client: Client, simulator: Simulator) -> None:
    sid = await call(client, simulator, record=True, recording_channels="dual")
    other = await call(client, simulator)
    (recording,) = await client.recordings.list_async()

    assert recording.sid.startswith("RE")
    assert (recording.call_sid, recording.status, recording.duration) == (sid, "completed", "9")
    assert (recording.channels, recording.source) == (2, "OutboundAPI")
    assert [found.sid for found in await client.recordings.list_async(call_sid=sid)] == [recording.sid]
    assert [found.sid for found in await client.calls(sid).recordings.list_async()] == [recording.sid]
    assert (await client.recordings(recording.sid).fetch_async()).call_sid == sid
    assert await client.recordings.list_async(call_sid=other) == []
    assert await client.calls(other).recordings.list_async() == []


@pytest.mark.parametrize("to", ["+15005550101", "+15005550103"])
async def test_a_call_that_nobody_answers_is_not_recorded(client: Client, simulator: Simulator, to: str) -> None:
    await call(client, simulator, to=to, record=True)

    assert simulator.recordings == []


async def test_a_recording_is_deleted(client: Client, simulator: Simulator) -> None:
    sid = await call(client, simulator, record=True)
    (recording,) = await client.recordings.list_async(call_sid=sid)

    assert await client.recordings(recording.sid).delete_async()
    assert await client.recordings.list_async(call_sid=sid) == []
    with pytest.raises(TwilioRestException) as refused:
        await client.recordings(recording.sid).delete_async()
    assert (refused.value.status, refused.value.code) == (404, 20404)


async def test_recordings_of_a_call_that_is_not_there_are_not_found(http: aiohttp.ClientSession) -> None:
    async with http.get(f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/CA1/Recordings.json") as response:
        assert response.status == 404


async def test_who_asked_is_told_when_the_recording_is_complete(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    sid = await call(
        client,
        simulator,
        record=True,
        status_callback=f"{receiver.url}/status",
        recording_status_callback=f"{receiver.url}/recording?delivery=a-1",
    )
    (recording,) = simulator.recordings
    (status,), (form,) = receiver.forms("/status"), receiver.forms("/recording")

    assert parsedate_to_datetime(form["RecordingStartTime"])
    assert dict(form) == {
        "AccountSid": ACCOUNT_SID,
        "CallSid": sid,
        "RecordingSid": recording.sid,
        "RecordingUrl": f"{simulator.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording.sid}",
        "RecordingStatus": "completed",
        "RecordingDuration": "9",
        "RecordingChannels": "1",
        "RecordingStartTime": form["RecordingStartTime"],
        "RecordingSource": "OutboundAPI",
        "RecordingTrack": "both",
        "ErrorCode": "0",
    }
    assert (status["RecordingSid"], status["RecordingDuration"]) == (recording.sid, "9")


@pytest.mark.parametrize(("events", "told"), [(["in-progress"], 0), (["in-progress", "completed"], 1)])
async def test_only_the_events_that_were_asked_for_are_told(
    client: Client, simulator: Simulator, receiver: Receiver, *, events: list[str], told: int
) -> None:
    url = f"{receiver.url}/recording"
    await call(client, simulator, record=True, recording_status_callback=url, recording_status_callback_event=events)

    assert len(receiver.forms("/recording")) == told


async def test_a_callback_that_is_no_url_is_refused(client: Client, simulator: Simulator) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await call(client, simulator, record=True, recording_status_callback="nowhere")
    assert refused.value.code == 21609
