"""Sending: decode a request, claim it, send it, record what Twilio said."""
