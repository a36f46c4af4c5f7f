"""Templates as files, and as values that people use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from jupyter_datalake.model.pipeline_specs import parse_spec, spec_as_dict
from jupyter_datalake.model.templates import Argument, TemplateText, parse_template
from jupyter_datalake.pipelines.publishing import read_yaml, with_query


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
        rendered = self._text.render({**(given or {}), **more})
        return spec_as_dict(parse_spec(rendered))

    def __repr__(self) -> str:
        return f"<Template {self.name}>"
