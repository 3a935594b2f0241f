"""What the REST API answers when it refuses, and Twilio's words for its codes.

https://www.twilio.com/docs/api/errors
"""

from collections.abc import Mapping
from types import MappingProxyType

MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        # REST, everywhere
        20001: "Invalid parameter.",
        20003: "Authenticate",
        20004: "Method not allowed",
        20006: "Page number out of range",
        20009: "Cannot change or delete this resource before it is complete.",
        20404: "The requested resource was not found",
        20429: "Too Many Requests",
        20500: "Internal Server Error",
        20503: "Service Unavailable",
        # REST, calls
        21201: "No 'To' number is specified",
        21205: "Url parameter is required and must be a valid http or https URL.",
        21210: "The source phone number provided is not yet verified for this account.",
        21213: "No 'From' number is specified",
        21214: "'To' phone number cannot be reached",
        21215: "Account not authorized to call this number; check the geographic permissions.",
        21216: "Account not allowed to call this number",
        21217: "Phone number does not appear to be valid",
        21219: "'To' phone number not verified",
        21220: "Invalid call state: the call has to be in another state for this update.",
        # REST, messages and calls
        21211: "Invalid 'To' phone number",
        21212: "Invalid 'From' phone number, short code or sender ID",
        # REST, messages
        21266: "'To' and 'From' number cannot be the same",
        21408: "Permission to send an SMS has not been enabled for the region of the 'To' number",
        21602: "Message body is required.",
        21603: "A 'From' phone number is required.",
        21604: "A 'To' phone number is required.",
        21606: "The 'From' phone number is not a valid, message-capable number of this account",
        21609: "The 'StatusCallback' URL is not a valid URL",
        21610: "Attempt to send to unsubscribed recipient",
        21611: "This 'From' number has exceeded the maximum number of queued messages",
        21612: "The 'To' phone number is not currently reachable using the 'From' phone number",
        21614: "'To' number is not a valid mobile number",
        21617: "The concatenated message body exceeds the 1600 character limit.",
        21620: "Invalid media URL(s)",
        21623: "Number of media files exceeds allowed limit",
        21701: "The Messaging Service does not exist",
        30409: "This message cannot be canceled",
        35114: "Scheduling does not support this timestamp",
        90007: "Invalid validity period value: expected 1 to 36000",
        # how a message ends, or why none is taken
        30002: "Account suspended",
        30003: "Unreachable destination handset",
        30004: "Message blocked",
        30005: "Unknown destination handset",
        30006: "Landline or unreachable carrier",
        30007: "Message filtered",
        30008: "Unknown error",
        # the webhooks of the app
        11100: "Invalid URL format",
        11200: "HTTP retrieval failure",
        11205: "HTTP connection failure",
        11750: "TwiML response body too large",
        12100: "Document parse failure",
        12200: "Schema validation warning",
        12300: "Invalid Content-Type",
    }
)
STATUSES: Mapping[int, int] = MappingProxyType(
    {20003: 401, 30002: 403, 20404: 404, 20004: 405, 20009: 409, 20429: 429, 20500: 500, 20503: 503}
)


def message_of(code: int) -> str:
    """Twilio's words for a code, as far as the simulator knows them."""
    return MESSAGES.get(code, f"Error {code}")


class RestError(Exception):
    """A request that the REST API refuses; 400 unless its code says otherwise."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.code = code
        self.status = STATUSES.get(code, 400)
        self.message = message or message_of(code)
        super().__init__(f"{self.code}: {self.message}")

    def body(self) -> dict[str, object]:
        """The error in the shape that Twilio's clients expect."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
