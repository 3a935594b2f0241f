"""Call flows: what whoever calls, or is called, meets, as an operator wrote it in a file. See docs/how-to/flows.md."""
