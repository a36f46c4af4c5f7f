"""The program that calls people's checks of an output: a process of its own, standard library only.

``python check_program.py TASKS RESULTS``: TASKS is a JSON list of maps that say ``where`` it
stands in the spec, the ``file`` and ``function``, and the ``folder`` to look at. RESULTS gets a
JSON list with a list of messages for each, as far as it came. It runs in whatever Python the
pipeline has, so it imports nothing of this package.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

MAX_MESSAGES = 20
MAX_MESSAGE = 500


def main(tasks: str, results: str) -> None:
    """Call every check, in order, and write down after each what they said so far."""
    sys.path.insert(0, os.getcwd())  # where the code of the pipeline lies
    said = []
    for task in json.loads(Path(tasks).read_text(encoding="utf-8")):
        said.append(call(task))
        place = Path(results)
        made = place.with_name(f"{place.name}.new")
        made.write_text(json.dumps(said), encoding="utf-8")
        made.replace(place)


def call(task: dict[str, str]) -> list[str]:
    """Return what a check finds wrong; nothing where all is as expected."""
    try:
        found = _messages(_function_of(task)(Path(task["folder"]).absolute()))
    except AssertionError as error:
        found = [str(error) or "an assertion of it does not hold"]
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it raises is its finding
        found = [f"{type(error).__name__}: {error}"]
    shown = [" ".join(one.split())[:MAX_MESSAGE] or "it is not as expected" for one in found]
    if len(shown) > MAX_MESSAGES:
        shown[MAX_MESSAGES:] = [f"… and {len(shown) - MAX_MESSAGES} more"]
    for one in shown:
        sys.stdout.write(f"{task['where']}: {one}\n")
    sys.stdout.flush()
    return shown


def _function_of(task: dict[str, str]) -> Any:
    name = f"_check_{Path(task['file']).stem}"
    spec = importlib.util.spec_from_file_location(name, task["file"])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return getattr(module, task["function"])


def _messages(answer: Any) -> list[str]:
    if answer is None or answer is True:
        return []
    if answer is False:
        return ["it is not as expected"]
    if isinstance(answer, str):
        return [answer] if answer else []
    return [str(one) for one in answer]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
