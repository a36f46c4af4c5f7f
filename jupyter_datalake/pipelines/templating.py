"""Templates as files, and as values that people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.model.templates import (
    Argument,
    TemplateText,
    parse_template,
    parse_template_use,
)
from jupyter_datalake.model.written_specs import spec_as_dict
from jupyter_datalake.pipelines.spec_files import load_spec, read_documents, read_yaml, with_query


@dataclass(frozen=True, slots=True)
class Source:
    """Where a spec comes from."""

    document: Any
    """As it is written, or as a template makes it."""
    folder: Path
    """Where the files are that it names."""
    template: str = ""
    """The file of its template, as the document names it; empty where there is none."""


def load_source(path: Path) -> Source:
    """Return the document in a spec file, or what a template makes that the file names.

    Raises
    ------
    PathNotFoundError
        The file, its template, or its query file is missing.
    InvalidInputError
        It is not YAML, the template is none, or it cannot have these arguments.
    """
    return _source(load_spec(path), path)


def load_sources(path: Path) -> list[Source]:
    """Return what `load_source` does of each document in a file that may hold several."""
    return [_source(with_query(raw, path.parent), path) for raw in read_documents(path)]


def _source(raw: Any, path: Path) -> Source:
    try:
        use = parse_template_use(raw)
        if use is None:
            return Source(raw, path.parent)
        template = Template.load(path.parent / use.template)
        return Source(template.render(use.arguments), template.folder, use.template)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{error.message} (in {str(path)!r})",
            kind=error.kind,
            hint=error.hint,
            path=str(path),
        ) from error


class Template:
    """A pipeline spec with places for typed arguments.

    Usage::

        template = Template.load("clean.yaml")
        lake.pipelines.create(template.render(source="raw", days=7), folder=template.folder)

    Parameters
    ----------
    raw
        The document; docs/templates.md says what it holds.
    folder
        Where the notebook and the helper files are.

    Raises
    ------
    InvalidInputError
        It is no template; the message names the place.
    """

    def __init__(self, raw: dict[str, Any], folder: Path | str = ".") -> None:
        self.folder = Path(folder)
        self._text: TemplateText = parse_template(raw)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the template in a YAML file; a ``query_file`` of its spec is read as well.

        Raises
        ------
        PathNotFoundError
            There is no such file.
        InvalidInputError
            It is no template; the message names the place.
        """
        place = Path(path)
        raw = read_yaml(place)
        if isinstance(raw, dict) and "spec" in raw:
            raw = {**raw, "spec": with_query(raw["spec"], place.parent)}
        return cls(raw, place.parent)

    @property
    def name(self) -> str:
        """What people call it."""
        return self._text.name

    @property
    def description(self) -> str:
        """What it is for."""
        return self._text.description

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What can be given, in the order of the document."""
        return self._text.arguments

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments, from which a form can be made."""
        return self._text.schema()

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of texts by argument, as people type them: ``{"days": "7"}``."""
        known = {one.name: one for one in self.arguments}
        return {
            name: known[name].parse(text) if name in known else text for name, text in texts.items()
        }

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of every argument: what is given, or its default.

        Raises
        ------
        InvalidInputError
            An argument is unknown or missing, or its value is not what it may be.
        """
        return self._text.values(given)

    def render(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
        """Return the spec with these values, checked as any spec is.

        Raises
        ------
        InvalidInputError
            An argument is unknown or missing, its value is not what it may be, or the spec that
            comes of them is wrong.
        """
        return self.filled(self.values({**(given or {}), **more}))

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the spec with what `values` returned, which is not looked at again.

        Raises
        ------
        InvalidInputError
            The spec that comes of them is wrong.
        """
        return spec_as_dict(parse_spec(self._text.filled(values)))

    def __repr__(self) -> str:
        return f"<Template {self.name}>"
