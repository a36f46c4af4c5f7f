"""A real Jupyter server with the extension, and requests whose every answer is checked."""

import json
import logging
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403  # its fixtures are for this folder alone

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.server.openapi import load_contract


@pytest.fixture(autouse=True)
def no_unexpected_warnings(request, caplog):
    """As everywhere, but Jupyter logs each refused request as a warning."""
    yield
    unexpected = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.WARNING and record.name.startswith("jupyter_datalake")
        # where FUSE looks usable and is not
        if "becomes checkouts" not in record.getMessage()
    ]
    assert not unexpected, "unexpected warnings in the log:\n" + "\n".join(unexpected)


@pytest.fixture
def lake_folder(tmp_path):
    return tmp_path / "lake"


@pytest.fixture
def jp_server_config(lake_folder):
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_datalake": True}},
        "DatalakeExtension": {"lake_url": str(lake_folder), "start_controller": False},
    }


@pytest.fixture
def served_lake(lake_folder):
    """The lake that the server serves, opened beside it as another process would."""
    with Lake.create(str(lake_folder), author=Author("Ada")) as lake:
        yield lake


@pytest.fixture
def root(jp_root_dir):
    """The folder that the file browser shows."""
    return Path(jp_root_dir)


class Answer:
    """What the server answered."""

    def __init__(self, status, body, headers):
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


@pytest.fixture
def fetch(jp_serverapp, jp_base_url, http_server_client):
    """Send a request to the extension; answers of every status are returned."""

    async def send(method, path, headers=None, body=None):
        if body is None and method in {"POST", "PUT", "PATCH"}:
            body = ""
        answer = await http_server_client.fetch(
            jp_base_url + "datalake" + path,
            method=method,
            headers=headers or {},
            body=body,
            raise_error=False,
        )
        return Answer(answer.code, answer.body, answer.headers)

    return send


@pytest.fixture
def call(served_lake, fetch, jp_auth_header):
    """Call an operation by its id; the answer is checked against the contract.

    ``await call("getRepo", repo="raw")``: path and query parameters by name, `json_body` or
    `data` as the body. An answer of another status than `expect` fails the test.
    """
    contract = load_contract()

    async def do(operation_id, *, expect=None, json_body=None, data=None, headers=None, **given):
        operation = contract.operations[operation_id]
        places = {one.name: one.place for one in operation.parameters}
        path = operation.path
        query = {}
        for name, value in given.items():
            raw = str(value).lower() if isinstance(value, bool) else str(value)
            if places.get(name) == "path":
                path = path.replace(f"{{{name}}}", quote(raw, safe=""))
            else:
                query[name] = raw
        answer = await fetch(
            operation.method.upper(),
            f"{path}?{urlencode(query, errors='surrogateescape')}",
            headers={**jp_auth_header, **(headers or {})},
            body=json.dumps(json_body) if json_body is not None else data,
        )
        check_answer(contract, operation, answer)
        if expect is None:
            assert answer.status < 400, answer.body
        else:
            assert answer.status == expect, answer.body
        return answer

    return do


def check_answer(contract, operation, answer):
    """Assert that an answer is one that the contract names."""
    known = str(answer.status) in operation.responses
    assert known or answer.status >= 400, f"{operation.id} answered {answer.status}"
    schema = contract.response_schema(operation, answer.status)
    if schema is not None:
        assert answer.headers["Content-Type"].startswith("application/json")
        errors = list(contract.validator(schema).iter_errors(answer.json))
        assert not errors, f"{operation.id} {answer.status}: {errors[0].message}"
