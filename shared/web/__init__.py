"""HTTP: verify, parse, act; errors become status codes. The only room here that knows azure.functions."""
