"""The fields of Twilio's answers: type, format (a SID's is its prefix), whether null is allowed.

A table made from `spec/json/twilio_api_v2010.json` of https://github.com/twilio/twilio-oai, version 2.1.13
(commit 00c8d36829d67333c14bef357affd57851408ad7): schemas api.v2010.account, .message, .call, .recording and
.call.call_recording.
`stir_verstat` is newer: it stands in the Call that the `twilio` package 9.13.0 was generated with.
"""

from typing import NamedTuple


class Field(NamedTuple):
    type: type
    format: str = ""
    nullable: bool = True


RFC_2822 = "date-time-rfc-2822"
MESSAGE_STATUSES = (
    "queued|sending|sent|failed|delivered|undelivered|receiving|received|accepted|scheduled|read|"
    "partially_delivered|canceled"
)
CALL_STATUSES = "queued|ringing|in-progress|completed|busy|failed|no-answer|canceled"

MESSAGE = {
    "body": Field(str),
    "num_segments": Field(str),
    "direction": Field(str, "inbound|outbound-api|outbound-call|outbound-reply"),
    "from": Field(str),
    "to": Field(str),
    "date_updated": Field(str, RFC_2822),
    "price": Field(str),
    "error_message": Field(str),
    "uri": Field(str),
    "account_sid": Field(str, "AC"),
    "num_media": Field(str),
    "status": Field(str, MESSAGE_STATUSES),
    "messaging_service_sid": Field(str, "MG"),
    "sid": Field(str, "SM|MM"),
    "date_sent": Field(str, RFC_2822),
    "date_created": Field(str, RFC_2822),
    "error_code": Field(int),
    "price_unit": Field(str),
    "api_version": Field(str),
    "subresource_uris": Field(dict, "uri-map"),
}
CALL = {
    "sid": Field(str, "CA"),
    "date_created": Field(str, RFC_2822),
    "date_updated": Field(str, RFC_2822),
    "parent_call_sid": Field(str, "CA"),
    "account_sid": Field(str, "AC"),
    "to": Field(str),
    "to_formatted": Field(str),
    "from": Field(str),
    "from_formatted": Field(str),
    "phone_number_sid": Field(str, "PN"),
    "status": Field(str, CALL_STATUSES),
    "start_time": Field(str, RFC_2822),
    "end_time": Field(str, RFC_2822),
    "duration": Field(str),
    "price": Field(str),
    "price_unit": Field(str),
    "direction": Field(str),
    "answered_by": Field(str),
    "api_version": Field(str),
    "forwarded_from": Field(str),
    "group_sid": Field(str, "GP"),
    "caller_name": Field(str),
    "queue_time": Field(str),
    "stir_verstat": Field(str),
    "trunk_sid": Field(str, "TK"),
    "uri": Field(str),
    "subresource_uris": Field(dict, "uri-map"),
}
RECORDING_STATUSES = "in-progress|paused|stopped|processing|completed|absent|deleted"
RECORDING_SOURCES = (
    "DialVerb|Conference|OutboundAPI|Trunking|RecordVerb|StartCallRecordingAPI|StartConferenceRecordingAPI"
)
EVERY_RECORDING = {
    "account_sid": Field(str, "AC"),
    "api_version": Field(str),
    "call_sid": Field(str, "CA"),
    "conference_sid": Field(str, "CF"),
    "date_created": Field(str, RFC_2822),
    "date_updated": Field(str, RFC_2822),
    "start_time": Field(str, RFC_2822),
    "duration": Field(str),
    "sid": Field(str, "RE"),
    "price": Field(str),
    "price_unit": Field(str),
    "status": Field(str, RECORDING_STATUSES),
    "channels": Field(int, nullable=False),
    "source": Field(str, RECORDING_SOURCES),
    "error_code": Field(int),
    "uri": Field(str),
    "encryption_details": Field(dict),
}
RECORDING = {**EVERY_RECORDING, "subresource_uris": Field(dict, "uri-map"), "media_url": Field(str)}
CALL_RECORDING = {**EVERY_RECORDING, "track": Field(str)}
ACCOUNT = {
    "auth_token": Field(str),
    "date_created": Field(str, RFC_2822),
    "date_updated": Field(str, RFC_2822),
    "friendly_name": Field(str),
    "owner_account_sid": Field(str, "AC"),
    "sid": Field(str, "AC"),
    "status": Field(str, "active|suspended|closed"),
    "subresource_uris": Field(dict, "uri-map"),
    "type": Field(str, "Trial|Full"),
    "uri": Field(str),
}
PAGE = {
    "end": Field(int, nullable=False),
    "first_page_uri": Field(str, nullable=False),
    "next_page_uri": Field(str),
    "page": Field(int, nullable=False),
    "page_size": Field(int, nullable=False),
    "previous_page_uri": Field(str),
    "start": Field(int, nullable=False),
    "uri": Field(str, nullable=False),
}
