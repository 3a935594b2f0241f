import pytest

from local.faults import endpoint, through
from local.faults.seen import Service, see

STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
    "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:3/devstoreaccount1;"
)


@pytest.mark.parametrize(
    ("service", "method", "target", "operation"),
    [
        ("table", "POST", "/acct/Deliveries", "table insert Deliveries"),
        ("table", "GET", "/acct/Deliveries()?$filter=a", "table query Deliveries"),
        ("table", "GET", "/acct/Deliveries(PartitionKey='a%2Fb',RowKey='c/(d)')", "table get Deliveries"),
        ("table", "DELETE", "/acct/Deliveries(PartitionKey='a',RowKey='%0A')", "table delete Deliveries"),
        ("table", "PATCH", "/acct/Lookups(PartitionKey='a',RowKey='b')", "table upsert Lookups"),
        ("table", "DELETE", "/acct/Tables('Lookups')", "table drop Lookups"),
        ("table", "GET", "/acct/Tables", "table list"),
        ("table", "POST", "/acct/Tables", "table POST /acct/Tables"),
        ("table", "GET", "/acct/?restype=service", "table GET /acct/"),
        ("queue", "PUT", "/acct/outbound", "queue create outbound"),
        ("queue", "GET", "/acct/outbound?comp=metadata", "queue look at outbound"),
        ("queue", "GET", "/acct/outbound/messages?numofmessages=16", "queue get outbound"),
        ("queue", "GET", "/acct/outbound/messages?peekonly=true", "queue peek outbound"),
        ("queue", "POST", "/acct/outbound-poison/messages", "queue put outbound-poison"),
        ("queue", "DELETE", "/acct/outbound/messages/1-2?popreceipt=a%2Bb", "queue delete outbound"),
        ("queue", "PUT", "/acct/outbound/messages/1-2?popreceipt=a", "queue update outbound"),
        ("queue", "GET", "/acct?comp=list", "queue list"),
        ("queue", "GET", "/acct/?comp=list", "queue list"),
        ("twilio", "POST", f"/2010-04-01/Accounts/AC{'0' * 32}/Calls/CA{'a1' * 16}.json", "twilio POST Calls/SID"),
        ("twilio", "GET", f"/2010-04-01/Accounts/AC{'0' * 32}.json", "twilio GET Account"),
        ("twilio", "GET", "/", "twilio GET /"),
    ],
)
def test_requests_are_named_by_what_they_do(*, service: Service, method: str, target: str, operation: str) -> None:
    assert see(service, method, target, {}, b"").operation == operation


def test_a_table_that_is_created_is_named() -> None:
    seen = see("table", "POST", "/acct/Tables", {}, b'{"TableName": "Deliveries"}')
    assert seen.operation == "table create Deliveries"


def test_a_request_shows_nothing_of_its_content() -> None:
    seen = see("twilio", "POST", "/a?To=secret", {"Authorization": "secret"}, b"Body=secret")
    assert "secret" not in repr(seen)


def test_a_connection_string_is_pointed_at_proxies() -> None:
    pointed = through(STORAGE, table=33, queue=22)

    assert endpoint(pointed, "table") == "http://127.0.0.1:33"
    assert pointed == STORAGE.replace(":2/", ":22/").replace(":3/", ":33/")
    assert through(STORAGE, table=33) == STORAGE.replace(":3/", ":33/")
    assert through(STORAGE) == STORAGE


@pytest.mark.parametrize("storage", ["UseDevelopmentStorage=true", "BlobEndpoint=http://127.0.0.1:1/a"])
def test_a_connection_string_without_endpoints_is_refused_without_being_shown(storage: str) -> None:
    with pytest.raises(ValueError, match="TableEndpoint") as refused:
        through(storage, table=1)
    assert storage not in str(refused.value)
