"""What a person reads once a set runs: how to use it, where it is, where it writes."""

import sys

from local.parts import PORT, STORAGE_PORT, Places


def ways_in(places: Places) -> str:
    """The URLs, the ways to enqueue and to look up, the places of data and logs."""
    return f"""
Switchboard is up. Ways in:
  enqueue    {_send_command(places)}
             {_curl_command(places)}
             or a message in the storage's queue, from any language
  look up    {_command(places, "show ID")}; `search` and `tail` likewise
             {places.functions_url}/api/deliveries/ID
  health     {places.functions_url}/api/health
  Twilio     {places.twilio_url} (simulated)
  storage    {places.storage}
  data       {places.data}
  logs       {places.home / "logs"}
Ctrl-C stops everything.
"""


def _send_command(places: Places) -> str:
    elsewhere = "" if places.storage_port == STORAGE_PORT else f" --storage-port {places.storage_port}"
    return _command(places, f'send --to +14155550100 --body "Hello" --follow{elsewhere}')


def _command(places: Places, arguments: str) -> str:
    python = "py" if sys.platform == "win32" else "python3"
    elsewhere = "" if places.port == PORT else f" --url {places.functions_url}"
    return f"{python} dev.py {arguments}{elsewhere}"


def _curl_command(places: Places) -> str:
    body = r'"{\"channel\": \"sms\", \"to\": \"+14155550100\", \"body\": \"Hello\"}"'
    return f'curl -X POST {places.functions_url}/api/send -H "Content-Type: application/json" -d {body}'
