"""One JSON document a line: a greeting, then an answer to each request (see ../peer.ts)."""

import json
import sys


def say(**document):
    print(json.dumps(document), flush=True)


def import_torch():
    """PyTorch, or a greeting that says why there is none."""
    try:
        import torch
    except ImportError as error:
        say(notHere=f"{error} in {sys.executable}")
        sys.exit(0)
    return torch


def serve(answer):
    """Answers every request; an exception is an answer too."""
    for line in sys.stdin:
        try:
            say(result=answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001: whatever it is, the bench wants to print it
            say(error=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
