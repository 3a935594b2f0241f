"""Twimlets: call flows that a URL's parameters make, as those of twimlets.com did; docs/how-to/twimlets.md. Pure."""
