"""Runs a module that stops, as by Ctrl-C, once its standard input ends: `python -m local.leash MODULE …`.

Its parent stops it by closing that input; a parent that was killed closes it too: nothing is left behind.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Run the module named first, with the arguments after it."""
    # A shell that runs a command in the background has it ignore Ctrl-C, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_interrupt_at_end_of_input, name="leash", daemon=True).start()
    del sys.argv[0]
    with contextlib.suppress(KeyboardInterrupt):
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _interrupt_at_end_of_input() -> None:
    # os.read, since a buffered reader would hold its lock while the interpreter shuts down.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        # To the main thread itself, so that it wakes from whatever it waits for.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


if __name__ == "__main__":
    main()
