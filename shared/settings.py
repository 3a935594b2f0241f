"""The app's settings: read once, checked whole, and frozen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

import phonenumbers

from shared.calendar.ncrontab import Ncrontab, NcrontabInvalid
from shared.calendar.quiet import QuietHours, QuietHoursInvalid
from shared.errors import SettingsInvalid
from shared.settings_reader import Reader, Secret
from shared.settings_storage import ConnectionString, Identity, read_storage
from shared.text import time_zones
from shared.text.destinations import Destinations, DestinationsInvalid
from shared.text.numbers import E164, MESSAGING_SERVICE, cleaned

SID: Final = "[0-9a-f]{32}"
OptOutReplies = Literal["twilio", "app"]
"""who answers STOP, START and HELP"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; docs/reference/settings.md says what each one means."""

    storage: ConnectionString | Identity
    account_sid: str
    auth_token: Secret
    auth_token_secondary: Secret | None
    api_key_sid: str | None
    api_key_secret: Secret | None
    twiml_app_sid: str | None
    from_number: str | None
    messaging_service_sid: str | None
    api_base_url: str
    public_base_url: str
    outbound_queue: str
    events_queue: str | None
    twilio_timeout_seconds: int
    schedule_cron: str
    housekeeping_cron: str
    reconcile_after_seconds: int
    default_time_zone: ZoneInfo
    quiet_hours: QuietHours | None
    allowed_countries: frozenset[str] | None
    client_may_call: Destinations
    max_call_seconds: int
    default_region: str | None
    retention_days: int
    events_ttl_days: int
    plain_punctuation: bool
    sms_reply: str
    replies_per_hour: int
    opt_out_replies: OptOutReplies
    stop_reply: str
    start_reply: str
    help_reply: str
    voice_greeting: str
    flow_settings: Mapping[str, str]
    """what texts of call flows may use as `setting.NAME`"""

    @property
    def own_queues(self) -> frozenset[str]:
        """The queues that this app writes to by itself: nothing else may go there."""
        return own_queues(self.outbound_queue, self.events_queue)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty value counts as none.

        Raises:
            SettingsInvalid: one or more are missing or malformed; every one is named, no value of a secret is shown.
        """
        reader = Reader(env)
        settings = _read(reader)
        if reader.faults:
            raise SettingsInvalid("the settings can't be used", reader.faults)
        return settings


QUEUE_NAME: Final = r"(?!.*--)[a-z0-9][a-z0-9-]{1,54}[a-z0-9]"
QUEUE_EXPECTED: Final = "3 to 56 lower-case letters, digits and single hyphens, so that -poison can follow"
_LONGEST_REPLY: Final = 1600
MOST_REPLIES: Final = 14
"""to one sender in an hour: at 15 within 30 s Twilio takes an automatic reply for a loop, and ends it"""
_MOST_DAYS: Final = 36_500
_OF_FLOWS: Final = "FLOW_"
_LONGEST_GREETING: Final = 3000
_OTHER_CLIENTS: Final = "client:*"


def own_queues(outbound: str, events: str | None) -> frozenset[str]:
    """Return the queues that an app with these names writes to by itself."""
    return frozenset(name for name in (outbound, f"{outbound}-poison", events) if name)


def _read(read: Reader) -> Settings:
    retention_days = read.integer("RETENTION_DAYS", default=90, at_least=1, at_most=_MOST_DAYS)
    settings = Settings(
        storage=read_storage(read),
        account_sid=read.matching("TWILIO_ACCOUNT_SID", f"AC{SID}", "AC and 32 hexadecimal digits", required=True)
        or "",
        auth_token=read.secret("TWILIO_AUTH_TOKEN", required=True) or Secret(""),
        auth_token_secondary=read.secret("TWILIO_AUTH_TOKEN_SECONDARY"),
        api_key_sid=read.matching("TWILIO_API_KEY_SID", f"SK{SID}", "SK and 32 hexadecimal digits"),
        api_key_secret=read.secret("TWILIO_API_KEY_SECRET"),
        twiml_app_sid=read.matching("TWILIO_TWIML_APP_SID", f"AP{SID}", "AP and 32 hexadecimal digits"),
        from_number=read.matching("TWILIO_FROM_NUMBER", E164.pattern, "E.164, such as +14155550100", clean=cleaned),
        messaging_service_sid=read.matching(
            "TWILIO_MESSAGING_SERVICE_SID", MESSAGING_SERVICE.pattern, "MG and 32 hexadecimal digits"
        ),
        api_base_url=read.base_url("TWILIO_API_BASE_URL", default="https://api.twilio.com"),
        public_base_url=_public_base_url(read),
        outbound_queue=read.matching("OUTBOUND_QUEUE", QUEUE_NAME, QUEUE_EXPECTED, default="outbound") or "",
        events_queue=read.matching("EVENTS_QUEUE", QUEUE_NAME, QUEUE_EXPECTED),
        twilio_timeout_seconds=read.integer("TWILIO_TIMEOUT_SECONDS", default=10, at_least=1, at_most=60),
        schedule_cron=_cron(read, "SCHEDULE_CRON", default="0 * * * * *"),
        housekeeping_cron=_cron(read, "HOUSEKEEPING_CRON", default="0 */5 * * * *"),
        reconcile_after_seconds=read.integer("RECONCILE_AFTER_SECONDS", default=60, at_least=0, at_most=86_400),
        default_time_zone=_time_zone(read),
        quiet_hours=_quiet_hours(read),
        allowed_countries=_countries(read),
        client_may_call=_destinations(read),
        max_call_seconds=read.integer("MAX_CALL_SECONDS", default=3600, at_least=1, at_most=86_400),
        default_region=_region(read),
        retention_days=retention_days,
        events_ttl_days=read.integer("EVENTS_TTL_DAYS", default=retention_days, at_least=1, at_most=_MOST_DAYS),
        plain_punctuation=read.flag("SMS_PLAIN_PUNCTUATION"),
        sms_reply=read.short_text("SMS_REPLY", longest=_LONGEST_REPLY) or "",
        replies_per_hour=read.integer("REPLIES_PER_HOUR", default=5, at_least=0, at_most=MOST_REPLIES),
        opt_out_replies=_opt_out_replies(read),
        stop_reply=read.short_text("STOP_REPLY", longest=_LONGEST_REPLY)
        or "You will get no more texts from this number. Text START to get them again.",
        start_reply=read.short_text("START_REPLY", longest=_LONGEST_REPLY)
        or "You will get texts from this number again. Text STOP to end them, HELP for help.",
        help_reply=read.short_text("HELP_REPLY", longest=_LONGEST_REPLY)
        or "Text STOP to get no more texts from this number, START to get them again.",
        voice_greeting=read.short_text("VOICE_GREETING", longest=_LONGEST_GREETING)
        or "Thank you for calling. Nobody can take your call now. Goodbye.",
        flow_settings=read.beginning_with(_OF_FLOWS),
    )
    _check_groups(read, settings)
    return settings


def _check_groups(read: Reader, settings: Settings) -> None:
    given = (read.text("TWILIO_FROM_NUMBER"), read.text("TWILIO_MESSAGING_SERVICE_SID"))
    if not any(given):
        read.fault("TWILIO_FROM_NUMBER", "expected this one or TWILIO_MESSAGING_SERVICE_SID, neither is set")
    if settings.events_queue in {settings.outbound_queue, f"{settings.outbound_queue}-poison"}:
        # each event would be taken for a request that can't be used, which is an event again
        read.fault("EVENTS_QUEUE", "expected another queue than that of the requests and its poison queue")
    if (settings.api_key_secret is None) != (read.text("TWILIO_API_KEY_SID") is None):
        read.fault("TWILIO_API_KEY_SID", "expected both this one and TWILIO_API_KEY_SECRET, or neither")


def _public_base_url(read: Reader) -> str:
    host = read.text("WEBSITE_HOSTNAME")
    url = read.base_url("PUBLIC_BASE_URL", default=f"https://{host}" if host else "", path=True)
    if url.lower().endswith("/api"):
        read.fault("PUBLIC_BASE_URL", "expected the URL without /api at its end, which the app adds itself")
    if not url and read.text("PUBLIC_BASE_URL") is None:
        read.fault("PUBLIC_BASE_URL", "expected the URL that Twilio sees, such as https://example.com, got nothing")
    if "_" in url.partition("://")[2].partition("/")[0]:
        # https://www.twilio.com/docs/api/errors/21609: a hostname that contains underscores is invalid
        read.fault("PUBLIC_BASE_URL", "expected a host that Twilio takes, got one with an underscore")
    return url


def _cron(read: Reader, name: str, *, default: str) -> str:
    # On Azure, a schedule that the host can't read disables that one function, and nothing else shows it.
    try:
        return Ncrontab.parse(read.text(name) or default).text
    except NcrontabInvalid as exc:
        read.fault(name, str(exc))
        return default


def _time_zone(read: Reader) -> ZoneInfo:
    text = read.text("DEFAULT_TIME_ZONE") or "UTC"
    zone = time_zones.find(text)
    if zone is None:
        read.fault("DEFAULT_TIME_ZONE", f"expected an IANA time zone such as Europe/Berlin, got {text[:40]!r}")
    return zone or ZoneInfo("UTC")


def _quiet_hours(read: Reader) -> QuietHours | None:
    text = read.text("QUIET_HOURS")
    try:
        return None if text is None else QuietHours.parse(text)
    except QuietHoursInvalid as exc:
        read.fault("QUIET_HOURS", str(exc))
        return None


def _countries(read: Reader) -> frozenset[str] | None:
    text = read.text("ALLOWED_COUNTRIES")
    if text is None:
        return None
    codes = frozenset(map(cleaned, re.split(r"[\s,;]+", text.upper()))) - {""}
    unknown = sorted(codes - phonenumbers.SUPPORTED_REGIONS)
    if unknown or not codes:
        read.fault("ALLOWED_COUNTRIES", f"expected ISO countries such as DE,US, got {', '.join(unknown) or 'none'}")
    return codes


def _destinations(read: Reader) -> Destinations:
    text = read.text("CLIENT_MAY_CALL")
    try:
        return Destinations.parse(text or _OTHER_CLIENTS)
    except DestinationsInvalid as exc:
        read.fault("CLIENT_MAY_CALL", str(exc))
        return Destinations.parse(_OTHER_CLIENTS)


def _opt_out_replies(read: Reader) -> OptOutReplies:
    match (read.text("OPT_OUT_REPLIES") or "twilio").lower():
        case "twilio" | "app" as who:
            return who
        case other:
            read.fault("OPT_OUT_REPLIES", f"expected twilio or app, got {other[:20]!r}")
            return "twilio"


def _region(read: Reader) -> str | None:
    text = cleaned(read.text("DEFAULT_REGION") or "") or None
    if text is not None and text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        read.fault("DEFAULT_REGION", f"expected an ISO country such as DE, got {text!r}")
    return text and text.upper()
