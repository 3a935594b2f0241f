"""Switchboard's library: what function_app.py calls. Arrows run downwards only; see ARCHITECTURE.md."""
