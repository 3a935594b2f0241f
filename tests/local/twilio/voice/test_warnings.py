import pytest

from local.twilio import Simulator
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import answers, called, codes


@pytest.mark.parametrize(
    ("verbs", "noted"),
    [
        ("<Say Voice='alice'>Hi</Say>", [12200]),
        ("<say>Hi</say>", [12200]),
        ("<Gather timeout='1'><Dial>+14155550100</Dial></Gather>", [12200]),
        ("<Gather timeout='1'><Say lop='1'>Hi</Say></Gather>", [12200]),
        ("<Dial><Say>Hi</Say></Dial>", [12200]),
        ("<Dial><Number status='x'>+14155550100</Number></Dial>", [12200]),
        ("<Say>Hi <break time='1s'/><emphasis level='strong'>you</emphasis></Say>", []),
        ("<Say/>", [13520]),
        ("<Say loop='many'>Hi</Say>", [13510]),
        ("<Play loop='-1'>/a.mp3</Play>", [13410]),
        ("<Play digits='x'/>", [13430]),
        ("<Gather finishOnKey='12'/>", [13310]),
        ("<Gather method='PUT'/>", [13312]),
        ("<Gather timeout='soon'/>", [13313]),
        ("<Gather numDigits='0'/>", [13314]),
        ("<Gather input='voice'/>", [13326]),
        ("<Gather speechTimeout='never'/>", [13327]),
        ("<Gather actionOnEmptyResult='yes'/>", [13338]),
        ("<Record timeout='x'/>", [13611]),
        ("<Record maxLength='0'/>", [13612]),
        ("<Record finishOnKey='x'/>", [13613]),
        ("<Record transcribe='yes'/>", [13614]),
        ("<Record playBeep='yes'/>", [13616]),
        ("<Record recordingStatusCallbackEvent='ended'/>", [13621]),
        ("<Dial method='PUT'>+14155550100</Dial>", [13210]),
        ("<Dial timeout='x'>+14155550100</Dial>", [13212]),
        ("<Dial hangupOnStar='1'>+14155550100</Dial>", [13213]),
        ("<Dial timeLimit='x'>+14155550100</Dial>", [13216]),
        ("<Dial record='always'>+14155550100</Dial>", [13217]),
        ("<Dial><Number method='PUT'>+14155550100</Number></Dial>", [13221]),
        ("<Dial><Number sendDigits='x'>+14155550100</Number></Dial>", [13222]),
        ("<Dial><Conference muted='1' beep='loud'>a</Conference></Dial>", [13235, 13230]),
        ("<Dial><Number>+14155550100</Number><Sim>DE1</Sim></Dial>", []),
    ],
)
async def test_what_twilio_does_not_take_is_noted(
    simulator: Simulator, receiver: Receiver, *, verbs: str, noted: list[int]
) -> None:
    sid = simulator.call(from_="+14155550111", to="+15005550006", url=answers(receiver, start=verbs), hangs_up_after=60)
    await simulator.settled()

    assert codes(simulator.call_of(sid)) == noted


async def test_verbs_that_the_simulator_does_not_play_are_said_to_be(simulator: Simulator, receiver: Receiver) -> None:
    verbs = "<Connect/><Echo/><Pay/><Prompt/><Refer/><Start/><Stop/>"
    call = await called(simulator, receiver, start=verbs)

    assert {entry.kind for entry in call.transcript} == {"not simulated yet"}
    assert len(call.transcript) == 7
