"""A child process of the studio: it is told tasks on standard input and answers on standard output, in lines of JSON.

    python -m evp.studio.child '{"memory": 3221225472, "processor_seconds": 60, "niceness": 5}'

A request is {"task", "arguments", "names"}. The answers to it are any number of {"progress": [stage, done, total]} and
then {"done": value}, {"failed": sentence for the user} or {"broken": name of the error}, whose traceback goes to
standard error. When standard input ends, because the server has closed it or is dead, the process ends at once.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TextIO

from evp.errors import EvpError

Progress = Callable[[str, int, int], None]
Task = Callable[..., Any]


def main() -> None:
    """Answer until standard input ends."""
    limits: dict[str, int] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    limit(**limits)
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    from evp.studio.tasks import TASKS  # after the limits: libraries take memory too

    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        answer(json.loads(requests.get()), TASKS, answers)


def limit(memory: int | None = None, processor_seconds: int | None = None, niceness: int = 0) -> None:
    """Bind this process: bytes of memory of its own, seconds of processor time, and how far others come first."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    if processor_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))
    os.nice(niceness)


def answer(request: Mapping[str, Any], tasks: Mapping[str, Task], answers: TextIO) -> None:
    """Do one task and write what comes of it. ``names`` of the request take the place of paths in sentences."""

    def say(**message: object) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        task = tasks[request["task"]]
        arguments = dict(request["arguments"])
        if "progress" in signature(task).parameters:
            arguments["progress"] = lambda *values: say(progress=values)
        value = task(**arguments)
    except EvpError as error:
        say(failed=renamed(str(error), request.get("names", {})))
    except MemoryError:
        say(failed="this needs more memory than is allowed here")
    except Exception as error:  # a bug: told to the log whole, and to the user by name
        traceback.print_exc()
        say(broken=type(error).__name__)
    else:
        say(done=value)


def renamed(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with the user's names of files in the place of the server's paths."""
    for path, name in names.items():
        sentence = sentence.replace(path, name)
    return sentence


def _listen(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
