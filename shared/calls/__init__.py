"""Calls that walk a flow: what each turn needs is read, what happened is kept, and the document is given."""
