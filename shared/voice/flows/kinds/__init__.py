"""The kinds of steps, one module or package each.

A new kind is one module here with a `KIND` (see `shared.voice.flows.kind`), a row in docs/reference/flow-file.md
and a test. The registry finds the module; no other module changes. tests/voice/flows/kinds/made_up/pay.py is a small
example.
"""
