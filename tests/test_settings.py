from collections.abc import Callable
from datetime import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar.quiet import QuietHours
from shared.errors import SettingsInvalid
from shared.settings import Settings
from shared.settings_reader import Secret
from shared.settings_storage import (
    DEVELOPMENT_STORAGE,
    ConnectionString,
    Credential,
    Identity,
    ManagedIdentity,
    ServicePrincipal,
)
from shared.text.destinations import Destinations
from tests.fakes import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, MINIMAL, SERVICE_SID, make_settings

KEY_SID = "SK" + "0123456789abcdef" * 2
APP_SID = "AP" + "0123456789abcdef" * 2
SECRET_NAMES = (
    "AzureWebJobsStorage",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN_SECONDARY",
    "TWILIO_API_KEY_SECRET",
    "AzureWebJobsStorage__clientSecret",
)
NAMES = (
    *MINIMAL,
    *SECRET_NAMES,
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__managedIdentityResourceId",
    "AzureWebJobsStorage__tenantId",
    "TWILIO_API_KEY_SID",
    "TWILIO_TWIML_APP_SID",
    "TWILIO_MESSAGING_SERVICE_SID",
    "TWILIO_API_BASE_URL",
    "WEBSITE_HOSTNAME",
    "OUTBOUND_QUEUE",
    "SCHEDULE_CRON",
    "HOUSEKEEPING_CRON",
    "RECONCILE_AFTER_SECONDS",
    "DEFAULT_TIME_ZONE",
    "QUIET_HOURS",
    "ALLOWED_COUNTRIES",
    "CLIENT_MAY_CALL",
    "MAX_CALL_SECONDS",
    "DEFAULT_REGION",
    "EVENTS_QUEUE",
    "TWILIO_TIMEOUT_SECONDS",
    "RETENTION_DAYS",
    "EVENTS_TTL_DAYS",
    "SMS_PLAIN_PUNCTUATION",
    "SMS_REPLY",
    "REPLIES_PER_HOUR",
    "OPT_OUT_REPLIES",
    "STOP_REPLY",
    "START_REPLY",
    "HELP_REPLY",
    "VOICE_GREETING",
)


def faults_of(**env: str) -> dict[str, str]:
    with pytest.raises(SettingsInvalid) as caught:
        make_settings(**env)
    return {fault.field: fault.problem for fault in caught.value.faults}


def test_what_is_not_set_has_the_default_that_the_page_promises() -> None:
    settings = make_settings()
    assert settings == Settings(
        storage=ConnectionString(Secret(DEVELOPMENT_STORAGE)),
        account_sid=ACCOUNT_SID,
        auth_token=Secret(AUTH_TOKEN),
        auth_token_secondary=None,
        api_key_sid=None,
        api_key_secret=None,
        twiml_app_sid=None,
        from_number=FROM_NUMBER,
        messaging_service_sid=None,
        api_base_url="https://api.twilio.com",
        public_base_url="https://switchboard.example",
        outbound_queue="outbound",
        events_queue=None,
        twilio_timeout_seconds=10,
        schedule_cron="0 * * * * *",
        housekeeping_cron="0 */5 * * * *",
        reconcile_after_seconds=60,
        default_time_zone=ZoneInfo("UTC"),
        quiet_hours=None,
        allowed_countries=None,
        client_may_call=Destinations(frozenset(), ("client:",)),
        max_call_seconds=3600,
        default_region=None,
        retention_days=90,
        events_ttl_days=90,
        plain_punctuation=False,
        sms_reply="",
        replies_per_hour=5,
        opt_out_replies="twilio",
        stop_reply="You will get no more texts from this number. Text START to get them again.",
        start_reply="You will get texts from this number again. Text STOP to end them, HELP for help.",
        help_reply="Text STOP to get no more texts from this number, START to get them again.",
        voice_greeting="Thank you for calling. Nobody can take your call now. Goodbye.",
        flow_settings={},
    )


def test_what_was_copied_along_with_a_number_or_a_country_is_dropped() -> None:
    settings = make_settings(
        TWILIO_FROM_NUMBER="\u202a+1\u202f4155550199\u202c",
        ALLOWED_COUNTRIES="\u200bde,\u00a0us\ufeff",
        DEFAULT_REGION="de\u200b",
        CLIENT_MAY_CALL="\u202a+4930*\u202c, +14155550100\u200b",
    )
    assert settings.from_number == FROM_NUMBER
    assert settings.allowed_countries == frozenset({"DE", "US"})
    assert settings.default_region == "DE"
    assert settings.client_may_call == Destinations(frozenset({"+14155550100"}), ("+4930",))


def test_what_other_systems_do_not_read_is_kept_as_long_as_everything_else() -> None:
    assert make_settings(RETENTION_DAYS="7").events_ttl_days == 7


def test_what_begins_with_flow_is_for_the_texts_of_call_flows() -> None:
    assert make_settings(FLOW_OFFICE="Room 5", FLOW_="", FLOW_EMPTY=" ").flow_settings == {"office": "Room 5"}


def test_what_is_set_is_taken() -> None:
    settings = make_settings(
        TWILIO_AUTH_TOKEN_SECONDARY="second",
        TWILIO_API_KEY_SID=KEY_SID,
        TWILIO_API_KEY_SECRET="key-secret",
        TWILIO_TWIML_APP_SID=APP_SID,
        TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID,
        TWILIO_API_BASE_URL="http://127.0.0.1:8010/",
        PUBLIC_BASE_URL="https://calls.example:8443/",
        OUTBOUND_QUEUE="other-queue",
        EVENTS_QUEUE="event-queue",
        TWILIO_TIMEOUT_SECONDS="60",
        SCHEDULE_CRON="30 * * * * *",
        HOUSEKEEPING_CRON="0 0 * * * *",
        RECONCILE_AFTER_SECONDS="0",
        DEFAULT_TIME_ZONE="Europe/Berlin",
        QUIET_HOURS="21:00-08:30",
        SMS_PLAIN_PUNCTUATION="true",
        ALLOWED_COUNTRIES="de, us;BS",
        CLIENT_MAY_CALL="+49*, client:anna",
        MAX_CALL_SECONDS="60",
        DEFAULT_REGION="de",
        RETENTION_DAYS="1",
        EVENTS_TTL_DAYS="36500",
        SMS_REPLY="Thanks!",
        REPLIES_PER_HOUR="14",
        OPT_OUT_REPLIES="App",
        STOP_REPLY="Bye.",
        START_REPLY="Hi.",
        HELP_REPLY="Ask.",
        VOICE_GREETING="Hello.",
    )
    assert settings.auth_token_secondary == Secret("second")
    assert settings.api_key_sid == KEY_SID
    assert settings.api_key_secret == Secret("key-secret")
    assert settings.twiml_app_sid == APP_SID
    assert settings.messaging_service_sid == SERVICE_SID
    assert settings.api_base_url == "http://127.0.0.1:8010"
    assert settings.public_base_url == "https://calls.example:8443"
    assert settings.outbound_queue == "other-queue"
    assert settings.events_queue == "event-queue"
    assert settings.twilio_timeout_seconds == 60
    assert settings.schedule_cron == "30 * * * * *"
    assert settings.quiet_hours == QuietHours(begin=time(21), end=time(8, 30))
    assert settings.plain_punctuation
    assert settings.housekeeping_cron == "0 0 * * * *"
    assert settings.reconcile_after_seconds == 0
    assert settings.default_time_zone == ZoneInfo("Europe/Berlin")
    assert settings.client_may_call == Destinations(frozenset({"client:anna"}), ("+49",))
    assert settings.allowed_countries == frozenset({"DE", "US", "BS"})
    assert settings.max_call_seconds == 60
    assert settings.default_region == "DE"
    assert (settings.retention_days, settings.events_ttl_days) == (1, 36_500)
    assert settings.sms_reply == "Thanks!"
    assert settings.replies_per_hour == 14
    assert settings.opt_out_replies == "app"
    assert (settings.stop_reply, settings.start_reply, settings.help_reply) == ("Bye.", "Hi.", "Ask.")
    assert settings.voice_greeting == "Hello."


def test_an_empty_environment_names_everything_that_is_required_at_once() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_env({})
    required = {
        "AzureWebJobsStorage",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_FROM_NUMBER",
        "PUBLIC_BASE_URL",
    }
    assert {fault.field for fault in caught.value.faults} == required
    assert all(name in str(caught.value) for name in required)


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_setting_counts_as_not_set(name: str) -> None:
    without = {key: value for key, value in MINIMAL.items() if key != name}

    def outcome(env: dict[str, str]) -> Settings | tuple[object, ...]:
        try:
            return Settings.from_env(env)
        except SettingsInvalid as exc:
            return exc.faults

    assert outcome({**without, name: " \t"}) == outcome(without)


def test_the_host_name_that_azure_gives_makes_the_public_url() -> None:
    settings = make_settings(PUBLIC_BASE_URL="", WEBSITE_HOSTNAME="app.azurewebsites.net")
    assert settings.public_base_url == "https://app.azurewebsites.net"


@pytest.mark.parametrize(
    ("given", "normalized"),
    [
        ("https://Switchboard.Example", "https://switchboard.example"),
        ("HTTPS://SWITCHBOARD.example:8443/", "https://switchboard.example:8443"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]:443"),
    ],
)
def test_capitals_of_the_public_url_become_small_letters(given: str, normalized: str) -> None:
    assert make_settings(PUBLIC_BASE_URL=given).public_base_url == normalized


def test_capitals_of_the_host_name_that_azure_gives_become_small_letters() -> None:
    settings = make_settings(PUBLIC_BASE_URL="", WEBSITE_HOSTNAME="My-App.azurewebsites.net")
    assert settings.public_base_url == "https://my-app.azurewebsites.net"


def test_the_public_url_goes_before_the_host_name() -> None:
    assert make_settings(WEBSITE_HOSTNAME="app.azurewebsites.net").public_base_url == "https://switchboard.example"


@pytest.mark.parametrize(
    "text", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;", " UseDevelopmentStorage=true "]
)
def test_development_storage_is_the_emulator_with_every_endpoint(text: str) -> None:
    assert make_settings(AzureWebJobsStorage=text).storage == ConnectionString(Secret(DEVELOPMENT_STORAGE))


def test_storage_is_reached_with_a_shared_access_signature() -> None:
    text = "QueueEndpoint=https://q.example;TableEndpoint=https://t.example;SharedAccessSignature=sv=1&sig=2"
    assert make_settings(AzureWebJobsStorage=text).storage == ConnectionString(Secret(text))


STORAGE = "AzureWebJobsStorage__"


def identity_of(**parts: str) -> Identity:
    """The identity that these parts of AzureWebJobsStorage mean."""
    named = {f"{STORAGE}{name}": value for name, value in parts.items()}
    storage = make_settings(AzureWebJobsStorage="", **named).storage
    assert isinstance(storage, Identity)
    return storage


def identity_faults_of(**parts: str) -> dict[str, str]:
    """What is wrong with these parts of AzureWebJobsStorage."""
    named = {f"{STORAGE}{name}": value for name, value in parts.items()}
    return faults_of(AzureWebJobsStorage="", **named)


def test_an_account_name_alone_means_the_apps_own_identity() -> None:
    assert identity_of(accountName="account1") == Identity(
        queue_url="https://account1.queue.core.windows.net",
        table_url="https://account1.table.core.windows.net",
        credential=None,
    )


def test_service_uris_mean_the_identity_that_the_client_id_names() -> None:
    found = identity_of(
        blobServiceUri="https://b.example",
        queueServiceUri="https://q.example/",
        tableServiceUri="https://t.example",
        credential="managedidentity",
        clientId="some-client",
    )
    assert found == Identity(
        queue_url="https://q.example",
        table_url="https://t.example",
        credential=ManagedIdentity(client_id="some-client"),
    )


PRINCIPAL_BESIDE = {
    "AzureWebJobsStorage__tenantId": "some-tenant",
    "AzureWebJobsStorage__clientId": "some-client",
    "AzureWebJobsStorage__clientSecret": "some-secret",
}
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
PRINCIPAL = {"tenantId": "some-tenant", "clientId": "some-client", "clientSecret": "some-secret"}


@pytest.mark.parametrize(
    ("parts", "credential"),
    [
        ({}, None),
        ({"credential": "managedidentity"}, ManagedIdentity()),
        ({"credential": "ManagedIdentity"}, ManagedIdentity()),
        ({"clientId": "some-client"}, ManagedIdentity(client_id="some-client")),
        ({"managedIdentityResourceId": RESOURCE_ID}, ManagedIdentity(resource_id=RESOURCE_ID)),
        (PRINCIPAL, ServicePrincipal("some-tenant", "some-client", Secret("some-secret"))),
        # As in Azure's host: the kind goes before the parts.
        ({**PRINCIPAL, "credential": "managedidentity"}, ManagedIdentity(client_id="some-client")),
    ],
)
def test_the_parts_of_a_connection_say_who_signs_in(parts: dict[str, str], credential: Credential) -> None:
    assert identity_of(accountName="account1", **parts).credential == credential


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"credential": "workloadidentity"}, "credential"),
        ({"credential": "managedidentityasfederatedidentity"}, "credential"),
        ({"tenantId": "some-tenant"}, "clientSecret"),
        ({"tenantId": "some-tenant", "clientId": "some-client"}, "clientSecret"),
        ({"clientId": "some-client", "clientSecret": "hidden"}, "clientSecret"),
        ({"clientId": "some-client", "managedIdentityResourceId": RESOURCE_ID}, "managedIdentityResourceId"),
        ({"managedIdentityObjectId": "some-object"}, "managedIdentityObjectId"),
        ({"clientCertificate": "hidden"}, "clientCertificate"),
        ({"clientid": "some-client"}, "clientid"),
    ],
)
def test_a_way_to_sign_in_that_is_not_supported_is_named(parts: dict[str, str], named: str) -> None:
    faults = identity_faults_of(accountName="account1", **parts)
    assert set(faults) == {f"{STORAGE}{named}"}
    assert "hidden" not in str(faults)


@pytest.mark.parametrize("service", ["blob", "queue", "table"])
@pytest.mark.parametrize("url", ["http://q.example", "http://127.0.0.1.example:10001", "http://localhostile"])
def test_no_token_goes_to_another_machine_in_plain_text(service: str, url: str) -> None:
    assert set(identity_faults_of(accountName="account1", **{f"{service}ServiceUri": url})) == {
        f"{STORAGE}{service}ServiceUri"
    }


@pytest.mark.parametrize("url", ["http://127.0.0.1:10001", "http://localhost", "http://[::1]:10001"])
def test_a_token_may_go_to_this_machine(url: str) -> None:
    assert identity_of(accountName="account1", queueServiceUri=url).queue_url == url


def test_one_service_uri_alone_is_not_enough() -> None:
    faults = faults_of(AzureWebJobsStorage="", AzureWebJobsStorage__queueServiceUri="https://q.example")
    assert set(faults) == {"AzureWebJobsStorage"}


@pytest.mark.parametrize("path", ["/switchboard", "/v1.2/Switch_board", "/api/switchboard", "/~x"])
def test_the_public_url_may_have_the_path_of_a_gateway_in_front(path: str) -> None:
    assert make_settings(PUBLIC_BASE_URL=f"https://gateway.example:8443{path}/").public_base_url == (
        f"https://gateway.example:8443{path}"
    )


def test_a_messaging_service_alone_is_sender_enough() -> None:
    settings = make_settings(TWILIO_FROM_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID)
    assert (settings.from_number, settings.messaging_service_sid) == (None, SERVICE_SID)


@pytest.mark.parametrize("given_one", [{"TWILIO_API_KEY_SID": KEY_SID}, {"TWILIO_API_KEY_SECRET": "key-secret"}])
def test_an_api_key_needs_both_of_its_halves(given_one: dict[str, str]) -> None:
    assert set(faults_of(**given_one)) == {"TWILIO_API_KEY_SID"}


MALFORMED = [
    ("AzureWebJobsStorage", "nonsense"),
    ("AzureWebJobsStorage", "AccountName=a"),
    ("AzureWebJobsStorage", "AccountName=a;AccountKey="),
    ("AzureWebJobsStorage", "AccountName=a;AccountKey=a2V5;rubbish"),
    ("AzureWebJobsStorage", "SharedAccessSignature=sv=1"),
    ("TWILIO_ACCOUNT_SID", "AC123"),
    ("TWILIO_ACCOUNT_SID", KEY_SID),
    ("TWILIO_ACCOUNT_SID", ACCOUNT_SID.upper()),
    ("TWILIO_API_KEY_SID", ACCOUNT_SID),
    ("TWILIO_TWIML_APP_SID", ACCOUNT_SID),
    ("TWILIO_FROM_NUMBER", "4155550199"),
    ("TWILIO_FROM_NUMBER", "+0155550199"),
    ("TWILIO_FROM_NUMBER", "+1415555019912345"),
    ("TWILIO_FROM_NUMBER", "+١٤١٥٥٥٥٠١٩٩"),
    ("TWILIO_MESSAGING_SERVICE_SID", "MG123"),
    ("TWILIO_API_BASE_URL", "api.twilio.com"),
    ("TWILIO_API_BASE_URL", "ftp://api.twilio.com"),
    ("TWILIO_API_BASE_URL", "https://example.com/path"),
    ("PUBLIC_BASE_URL", "https://example.com/api"),
    ("PUBLIC_BASE_URL", "https://example.com/path/API/"),
    ("PUBLIC_BASE_URL", "https://example.com/a//b"),
    ("PUBLIC_BASE_URL", "https://example.com/a/../b"),
    ("PUBLIC_BASE_URL", "https://example.com/a%20b"),
    ("PUBLIC_BASE_URL", "https://example.com/path?query=1"),
    ("PUBLIC_BASE_URL", "https:///path"),
    ("PUBLIC_BASE_URL", "https:/path"),
    ("PUBLIC_BASE_URL", "https://example.com?query=1"),
    ("PUBLIC_BASE_URL", "https://example.com?"),
    ("PUBLIC_BASE_URL", "https://example.com#fragment"),
    ("PUBLIC_BASE_URL", "https://example.com#"),
    ("PUBLIC_BASE_URL", "https://user@example.com"),
    ("PUBLIC_BASE_URL", "https://exam ple.com"),
    ("PUBLIC_BASE_URL", "https://example.com:99999"),
    ("PUBLIC_BASE_URL", "https://[::1"),
    ("PUBLIC_BASE_URL", "https://"),
    ("PUBLIC_BASE_URL", "https://bücher.example"),
    ("PUBLIC_BASE_URL", "https://my_app.example.com"),
    ("PUBLIC_BASE_URL", "https://app.my_zone.example:8443"),
    ("OUTBOUND_QUEUE", "ab"),
    ("OUTBOUND_QUEUE", "Outbound"),
    ("OUTBOUND_QUEUE", "out--bound"),
    ("OUTBOUND_QUEUE", "-outbound"),
    ("OUTBOUND_QUEUE", "a" * 57),
    ("SMS_REPLY", "x" * 1601),
    ("REPLIES_PER_HOUR", "15"),
    ("OPT_OUT_REPLIES", "both"),
    ("STOP_REPLY", "x" * 1601),
    ("START_REPLY", "x" * 1601),
    ("HELP_REPLY", "x" * 1601),
    ("VOICE_GREETING", "x" * 3001),
    ("PUBLIC_BASE_URL", "/"),
    ("SCHEDULE_CRON", "every minute"),
    ("HOUSEKEEPING_CRON", "0 * * * * * *"),
    ("SCHEDULE_CRON", "0 61 * * * *"),
    ("HOUSEKEEPING_CRON", "foo bar baz a b c"),
    ("SCHEDULE_CRON", '"0 * * * * *"'),
    ("HOUSEKEEPING_CRON", "00:05:00"),
    ("RECONCILE_AFTER_SECONDS", "-1"),
    ("RECONCILE_AFTER_SECONDS", "86401"),
    ("DEFAULT_TIME_ZONE", "Europe/Nowhere"),
    ("DEFAULT_TIME_ZONE", "../../etc/passwd"),
    ("DEFAULT_TIME_ZONE", "Europe"),
    ("ALLOWED_COUNTRIES", "DE,XX"),
    ("ALLOWED_COUNTRIES", ","),
    ("CLIENT_MAY_CALL", "+49*, 0900*"),
    ("CLIENT_MAY_CALL", "*"),
    ("CLIENT_MAY_CALL", "sip:*"),
    ("MAX_CALL_SECONDS", "0"),
    ("MAX_CALL_SECONDS", "60.5"),
    ("MAX_CALL_SECONDS", "9" * 400),
    ("DEFAULT_REGION", "Germany"),
    ("RETENTION_DAYS", "0"),
    ("EVENTS_TTL_DAYS", "0"),
    ("EVENTS_TTL_DAYS", "-1"),
    ("QUIET_HOURS", "21-08"),
    ("QUIET_HOURS", "21:00-21:00"),
    ("SMS_PLAIN_PUNCTUATION", "yes"),
    ("EVENTS_QUEUE", "outbound"),
    ("EVENTS_QUEUE", "outbound-poison"),
    ("EVENTS_QUEUE", "Events"),
    ("EVENTS_QUEUE", "ev"),
    ("TWILIO_TIMEOUT_SECONDS", "0"),
    ("TWILIO_TIMEOUT_SECONDS", "61"),
    ("TWILIO_TIMEOUT_SECONDS", "2.5"),
]


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_setting_is_named_and_nothing_else_is(name: str, value: str) -> None:
    assert set(faults_of(**{name: value})) == {name}


REFERENCES = [
    "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/hidden)",
    "@Microsoft.KeyVault(VaultName=hidden;SecretName=token)",
    "@Microsoft.AppConfiguration(Endpoint=https://hidden.example; Key=token)",
    "@microsoft.keyvault(SecretUri=hidden",
    '"@Microsoft.KeyVault(SecretUri=hidden)"',
    " @Microsoft.AppConfiguration(Key=hidden) ",
]


class Asked(dict[str, str]):
    """An environment that keeps the names it is asked for."""

    def __init__(self, env: dict[str, str]) -> None:
        super().__init__(env)
        self.names: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


def names_asked_for() -> set[str]:
    """Every setting that the app reads, but for the one that Azure sets itself."""
    with_key = Asked(MINIMAL)
    with_identity = Asked({**MINIMAL, "AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "account1"})
    for env in (with_key, with_identity):
        Settings.from_env(env)
    return (with_key.names | with_identity.names) - {"WEBSITE_HOSTNAME"}


SET_BY_PEOPLE = sorted(names_asked_for())


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("name", [*SET_BY_PEOPLE, "FLOW_OFFICE", "AzureWebJobsStorage__fileServiceUri"])
def test_a_reference_that_azure_did_not_resolve_is_named_and_nothing_else_is(name: str, reference: str) -> None:
    """Azure leaves its text in the setting: it would be the token that signatures are checked with."""
    parts = {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "account1"}
    # one of a pair, and one that another one goes before
    beside = {
        "TWILIO_API_KEY_SID": {"TWILIO_API_KEY_SECRET": "key-secret"},
        "TWILIO_API_KEY_SECRET": {"TWILIO_API_KEY_SID": KEY_SID},
        "AzureWebJobsStorage__clientSecret": PRINCIPAL_BESIDE,
        "AzureWebJobsStorage__tenantId": PRINCIPAL_BESIDE,
    }.get(name, {})
    faults = faults_of(**{**(parts if name.startswith(STORAGE) else {}), **beside, name: reference})
    assert set(faults) == {name}
    assert "that was not resolved" in faults[name]
    assert "hidden" not in faults[name]


def test_every_reference_that_azure_did_not_resolve_is_named_at_once() -> None:
    env = dict.fromkeys((*SET_BY_PEOPLE, "FLOW_OFFICE", "FLOW_OTHER"), REFERENCES[0])
    assert set(faults_of(**env)) == {*env}


def test_a_text_may_speak_of_a_key_vault() -> None:
    assert make_settings(SMS_REPLY="Ask @Microsoft.KeyVault").sms_reply == "Ask @Microsoft.KeyVault"


def test_the_events_never_go_into_the_queue_of_the_requests() -> None:
    """Each would be a request that can't be used, and the record of that an event again."""
    for name in ("requests", "requests-poison"):
        assert set(faults_of(OUTBOUND_QUEUE="requests", EVENTS_QUEUE=name)) == {"EVENTS_QUEUE"}
    assert make_settings(OUTBOUND_QUEUE="requests", EVENTS_QUEUE="outbound").events_queue == "outbound"


def test_a_timer_gets_its_schedule_as_azure_splits_it() -> None:
    """Azure tells five fields from six by the spaces between them."""
    assert make_settings(SCHEDULE_CRON=" */5 \t *  * * * ").schedule_cron == "*/5 * * * *"


def test_the_name_of_the_queue_leaves_room_for_that_of_its_poison_queue() -> None:
    assert len(make_settings(OUTBOUND_QUEUE="a" * 56).outbound_queue + "-poison") == 63


def test_texts_are_taken_up_to_what_twilio_can_say() -> None:
    settings = make_settings(SMS_REPLY="x" * 1600, VOICE_GREETING="x" * 3000)
    assert (len(settings.sms_reply), len(settings.voice_greeting)) == (1600, 3000)


def test_a_malformed_account_name_is_named() -> None:
    assert set(identity_faults_of(accountName="No Account!")) == {"AzureWebJobsStorage__accountName"}


def test_all_malformed_settings_are_named_at_once() -> None:
    malformed = dict(MALFORMED)
    assert set(faults_of(**malformed)) == set(malformed)


@pytest.mark.parametrize("show", [repr, str])
def test_no_secret_is_shown_by_the_settings(show: Callable[[object], str]) -> None:
    storage = "AccountName=account;AccountKey=bm9ib2R5"
    settings = make_settings(
        AzureWebJobsStorage=storage,
        TWILIO_AUTH_TOKEN_SECONDARY="second-token",
        TWILIO_API_KEY_SID=KEY_SID,
        TWILIO_API_KEY_SECRET="key-secret",
    )
    shown = show(settings)
    assert not [secret for secret in (AUTH_TOKEN, "bm9ib2R5", "second-token", "key-secret") if secret in shown]
    assert settings.auth_token.reveal() == AUTH_TOKEN


@pytest.mark.parametrize(
    "name",
    [
        "AzureWebJobsStorage",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_API_KEY_SID",
        "TWILIO_TWIML_APP_SID",
        "TWILIO_FROM_NUMBER",
        "TWILIO_MESSAGING_SERVICE_SID",
        "TWILIO_API_BASE_URL",
        "PUBLIC_BASE_URL",
    ],
)
def test_a_secret_that_stands_in_the_wrong_place_is_not_repeated(name: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        make_settings(**{name: f"https://user:{AUTH_TOKEN}@example.com"})
    assert AUTH_TOKEN not in f"{caught.value!r} {caught.value.faults!r}"


# Whatever of these comes out is a secret: no setting's own text looks like it.
secrets = st.integers(min_value=0).map("hidden-{}-".format)
storages = st.one_of(
    secrets,
    secrets.map("AccountName=a;AccountKey={}".format),
    secrets.map("SharedAccessSignature={}".format),
    st.just(MINIMAL["AzureWebJobsStorage"]),
)
plain = st.one_of(
    st.text(max_size=40),
    st.sampled_from([value for _, value in MALFORMED] + list(MINIMAL.values()) + ["1", "60", "DE", "Europe/Berlin"]),
)
environments = st.fixed_dictionaries(
    {},
    optional={
        name: storages if name == "AzureWebJobsStorage" else secrets if name in SECRET_NAMES else plain
        for name in dict.fromkeys(NAMES)
    },
)


@given(environments, st.booleans())
def test_whatever_is_set_the_answer_is_settings_or_faults_and_no_secret_is_in_either(
    env: dict[str, str],
    usable: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    env = {**MINIMAL, **{name: env[name] for name in SECRET_NAMES if name in env}} if usable else env
    try:
        shown = repr(Settings.from_env(env))
    except SettingsInvalid as exc:
        shown = f"{exc!r} {exc} {exc.faults!r}"
    assert "hidden-" not in shown
