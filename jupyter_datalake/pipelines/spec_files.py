"""Reading specs from files of YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from jupyter_datalake.errors import ErrorKind, InvalidInputError, PathNotFoundError
from jupyter_datalake.model.paths import parse_path


class _SpecLoader(yaml.SafeLoader):
    """Reads YAML as `yaml.safe_load`, but for the key ``on``, which is not taken for true."""


def _construct_map(loader: _SpecLoader, node: yaml.MappingNode) -> Iterator[dict[Any, Any]]:
    found: dict[Any, Any] = {}
    yield found
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag == "tag:yaml.org,2002:bool":
            key.tag = "tag:yaml.org,2002:str"
    found.update(loader.construct_mapping(node, deep=True))


_SpecLoader.add_constructor("tag:yaml.org,2002:map", _construct_map)


def load_spec(path: Path) -> Any:
    """Return the document in a spec file, with a query that stands in a file of its own put in.

    ``ingest.query_file`` names that file, relative to the spec.

    Raises
    ------
    PathNotFoundError
        The spec or its query file is missing.
    InvalidInputError
        It is not YAML.
    """
    return with_query(read_yaml(path), path.parent)


def read_yaml(path: Path) -> Any:
    """Return the document in a YAML file, in which the key ``on`` is a text.

    Raises
    ------
    PathNotFoundError
        There is no such file.
    InvalidInputError
        It is not YAML, or holds several documents.
    """
    documents = read_documents(path)
    if len(documents) > 1:
        raise InvalidInputError(
            f"There are {len(documents)} documents in {str(path)!r}, and one is asked for",
            kind=ErrorKind.INVALID_SPEC,
            hint="'datalake pipelines apply -f' takes files that hold several specs",
            path=str(path),
        )
    return documents[0] if documents else None


def read_documents(path: Path) -> list[Any]:
    """Return the documents in a YAML file, without empty ones; the key ``on`` is a text.

    Raises
    ------
    PathNotFoundError
        There is no such file.
    InvalidInputError
        It is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = yaml.load_all(text, _SpecLoader)
        return [document for document in found if document is not None]
    except FileNotFoundError as error:
        raise PathNotFoundError(
            f"There is no spec {str(path)!r}",
            hint="Give the path of a YAML file; docs/pipelines.md shows what it holds",
            path=str(path),
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"The spec {str(path)!r} is not YAML: {' '.join(str(error).split())}",
            kind=ErrorKind.INVALID_SPEC,
            path=str(path),
        ) from error


def with_query(raw: Any, folder: Path) -> Any:
    """Return a spec's document with a query that stands in a file below a folder put in.

    Raises
    ------
    PathNotFoundError
        The query file is missing.
    """
    if isinstance(raw, dict) and isinstance(raw.get("ingest"), dict):
        ingest = dict(raw["ingest"])
        query_file = ingest.pop("query_file", None)
        if query_file is not None and "query" not in ingest:
            place = folder / parse_path(str(query_file))
            if not place.is_file():
                raise PathNotFoundError(
                    f"The query file {str(place)!r} is not there", path=str(place)
                )
            ingest["query"] = place.read_text(encoding="utf-8")
        raw = {**raw, "ingest": ingest}
    return raw
