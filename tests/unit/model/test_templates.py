"""Templates: typed arguments, and values that cannot change what a spec is."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.templates import ArgumentType, parse_template

SPEC = {
    "pipeline": "clean-${{ arguments.source }}",
    "input": {"repo": {"name": "${{ arguments.source }}", "glob": "/${{arguments.folder}}/*"}},
    "command": ["clean.py", "--days=${{ arguments.days }}", "${{ arguments.mode }}"],
    "parameters": {
        "days": "${{ arguments.days }}",
        "share": "${{ arguments.share }}",
        "exact": "${{ arguments.exact }}",
        "columns": "${{ arguments.columns }}",
        "title": "Of ${{ arguments.title }}, ${{ arguments.days }} days, $${{ kept }}",
    },
}
ARGUMENTS = {
    "source": {"type": "repo", "description": "What is read"},
    "folder": {"type": "path", "default": "in/new"},
    "days": {"type": "int", "default": 30, "minimum": 1, "maximum": 365},
    "mode": {"type": "choice", "choices": ["fast", "exact", 3], "default": "fast"},
    "share": {"type": "float", "default": 1},
    "exact": {"type": "bool", "default": False},
    "columns": {"type": "list", "items": "str", "default": []},
    "title": {"type": "str", "required": True, "pattern": "[^\n]*"},
}


def template(spec=SPEC, **arguments):
    declared = {**ARGUMENTS, **arguments} if spec is SPEC else arguments
    return parse_template({"template": "clean", "arguments": declared, "spec": spec})


def test_values_keep_their_types_where_they_stand_alone_and_are_text_elsewhere():
    made = template().render({"source": "raw", "title": "a: b", "columns": ["x", "y"], "days": 7})
    assert made == {
        "pipeline": "clean-raw",
        "input": {"repo": {"name": "raw", "glob": "/in/new/*"}},
        "command": ["clean.py", "--days=7", "fast"],
        "parameters": {
            "days": 7,
            "share": 1.0,
            "exact": False,
            "columns": ["x", "y"],
            "title": "Of a: b, 7 days, ${{ kept }}",
        },
    }
    assert isinstance(made["parameters"]["share"], float)
    assert SPEC["pipeline"] == "clean-${{ arguments.source }}"


REFUSED = [
    ("days", 0, "a whole number from 1 to 365"),
    ("days", 366, "a whole number from 1 to 365"),
    ("days", "7", "a whole number from 1 to 365"),
    ("days", True, "a whole number"),
    ("days", 7.5, "a whole number"),
    ("share", "half", "a number"),
    ("share", float("nan"), "a number"),
    ("share", float("inf"), "a number"),
    ("exact", "yes", "true or false"),
    ("exact", 1, "true or false"),
    ("mode", "slow", 'one of "fast", "exact", 3'),
    ("mode", None, "one of"),
    ("columns", "x", "a list of values of type str"),
    ("columns", [1], "a list of values of type str"),
    ("columns", [["x"]], "a list of values of type str"),
    ("folder", "../other", "a relative path"),
    ("folder", "/etc", "a relative path"),
    ("folder", "", "a relative path"),
    ("folder", "a\nb", "a relative path"),
    ("source", "Raw", "the name of a repo"),
    ("source", "raw\n", "the name of a repo"),
    ("source", "a'; DROP TABLE repos; --", "the name of a repo"),
    ("title", "two\nlines", "a text that fits"),
    ("title", {"a": 1}, "a text"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), REFUSED)
def test_a_value_that_cannot_be_is_told_with_its_argument_and_what_can(name, value, allowed):
    with pytest.raises(InvalidInputError) as caught:
        template().render({"source": "raw", "title": "t", name: value})
    message = str(caught.value)
    assert f"Argument {name!r} has the value {value!r}" in message
    assert allowed in message
    assert caught.value.context["argument"] == name


def test_an_argument_that_is_missing_or_unknown_is_named_with_the_next_step():
    with pytest.raises(InvalidInputError, match="'source' of template 'clean' is missing"):
        template().render({"title": "t"})
    with pytest.raises(InvalidInputError, match=r"has no argument 'day'.*source, folder, days"):
        template().render({"source": "raw", "title": "t", "day": 7})


def test_texts_of_a_prompt_become_values():
    by = {one.name: one for one in template().arguments}
    assert by["days"].parse("-7") == -7
    assert by["days"].parse("seven") == "seven"
    assert by["share"].parse("0.5") == 0.5
    assert by["exact"].parse("True") is True
    assert by["mode"].parse("3") == 3
    assert by["columns"].parse("a, b") == ["a", "b"]
    assert by["columns"].parse('["a, b"]') == ["a, b"]
    assert by["columns"].parse("[oops") == "[oops"
    assert by["columns"].parse("") == []
    assert by["title"].parse("7") == "7"
    spec = {"parameters": {"x": "${{ arguments.x }}"}}
    numbers = template(spec, x={"type": "list", "items": "int"})
    assert numbers.arguments[0].parse("1,2") == [1, 2]


def test_the_schema_of_the_arguments_is_one_a_form_can_be_made_from():
    schema = template().schema()
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["source", "title"]
    assert schema["properties"]["days"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 365,
        "default": 30,
    }
    assert schema["properties"]["mode"] == {"enum": ["fast", "exact", 3], "default": "fast"}
    assert schema["properties"]["source"]["description"] == "What is read"
    check = Draft202012Validator(schema)
    assert check.is_valid({"source": "raw", "title": "t", "days": 7})
    assert not check.is_valid({"source": "raw", "title": "t", "days": 0})
    assert not check.is_valid({"source": "raw"})
    assert not check.is_valid({"source": "raw", "title": "t", "more": 1})


BAD = [
    ({"template": "t"}, "'spec' is a required"),
    ({"template": "t", "spec": {}, "more": 1}, "'more' was unexpected"),
    ({"spec": {"pipeline": "${{ arguments.x }}"}}, "names the argument 'x'; declared are none"),
    ({"spec": {"pipeline": "${{ x }}"}}, "spec.pipeline holds '${{ x }}'"),
    ({"spec": {"pipeline": "${{ arguments.x"}}, "holds '${{'"),
    ({"spec": {"pipeline": "${{ env.HOME }}"}}, "spec.pipeline holds"),
    ({"spec": {"pipeline": "${{ arguments.x.__class__ }}"}}, "spec.pipeline holds"),
    ({"spec": {"pipeline": "${{ __import__('os') }}"}}, "spec.pipeline holds"),
    ({"spec": {"${{ arguments.x }}": 1}}, "has the key"),
    ({"spec": {}, "arguments": {"x": {"type": "int"}}}, "arguments.x stands nowhere"),
    ({"spec": {}, "arguments": {"X": {"type": "int"}}}, "arguments"),
    ({"spec": {}, "arguments": {"x": {"type": "date"}}}, "arguments.x.type"),
    ({"spec": {}, "arguments": {"x": {"type": "choice"}}}, "lacks 'choices'"),
    ({"spec": {}, "arguments": {"x": {"type": "int", "choices": [1]}}}, "says nothing"),
    ({"spec": {}, "arguments": {"x": {"type": "int", "default": "a"}}}, "'x' has the value 'a'"),
    ({"spec": {}, "arguments": {"x": {"type": "int", "required": False}}}, "give a default"),
    (
        {"spec": {}, "arguments": {"x": {"type": "int", "required": True, "default": 1}}},
        "has a default, and is required",
    ),
    ({"spec": {}, "arguments": {"x": {"type": "str", "pattern": "("}}}, "no regular expression"),
    (
        {
            "spec": {"pipeline": "a-${{ arguments.x }}"},
            "arguments": {"x": {"type": "list"}},
        },
        "has the list 'x' within a text",
    ),
    (
        {
            "spec": {"pipeline": "a-${{ arguments.x }}"},
            "arguments": {"x": {"type": "branch", "repo": "${{ arguments.y }}"}},
        },
        "names 'y', which is no repo",
    ),
]


@pytest.mark.parametrize(("raw", "told"), BAD)
def test_each_mistake_in_a_template_is_one_line_with_its_place(raw, told):
    with pytest.raises(InvalidInputError) as caught:
        parse_template({"template": "t", **raw})
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


CODE = [
    {"command": ["sh", "-c", "echo ${{ arguments.x }}"]},
    {"command": ["clean.py", "${{ arguments.x }}"]},
    {"datums": {"on_error": {"recover": ["${{ arguments.x }}"]}}},
    {"ingest": {"connection": "w", "query": "SELECT '${{ arguments.x }}'"}},
    {"finally": {"command": ["${{ arguments.x }}"]}},
    {"on_start": {"notebook": "${{ arguments.x }}"}},
    {"expectations": [{"files": "/*", "python": "${{ arguments.x }}"}]},
    {"a_key_of_tomorrow": "${{ arguments.x }}"},
]


@pytest.mark.parametrize("spec", CODE)
@pytest.mark.parametrize("kind", ["str", "path", "list"])
def test_n4_free_text_of_a_template_stands_nowhere_in_code(spec, kind):
    with pytest.raises(InvalidInputError, match=r"is code|within a text"):
        template(spec, x={"type": kind})


def test_parameters_take_any_text_whatever_they_are_called():
    spec = {"parameters": {"query": "${{ arguments.x }}", "command": ["${{ arguments.n }}"]}}
    made = template(spec, x={"type": "str"}, n={"type": "int"}).render({"x": "'; $(id)", "n": 1})
    assert made == {"parameters": {"query": "'; $(id)", "command": [1]}}


def test_what_is_harmless_may_stand_in_commands_and_numbers_in_queries():
    made = template(
        {
            "command": ["run", "--repo=${{ arguments.r }}", "-n", "${{ arguments.n }}"],
            "ingest": {"query": "SELECT * FROM t LIMIT ${{ arguments.n }}"},
        },
        r={"type": "repo"},
        n={"type": "int"},
    ).render({"r": "raw", "n": -3})
    assert made["command"] == ["run", "--repo=raw", "-n", "-3"]
    assert made["ingest"]["query"] == "SELECT * FROM t LIMIT -3"
    with pytest.raises(InvalidInputError, match="is a query"):
        template({"ingest": {"query": "FROM ${{ arguments.r }}"}}, r={"type": "repo"})


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "${{ arguments.b }}",
            "$${{ x }}",
            "a: b\n- c",
            "{x: 1}",
            "!!python/object:os.system",
            "&a *a",
            "'; DROP TABLE repos; --",
            "$(touch /tmp/x) `id`",
            "null",
            "\n---\npipeline: other",
        ]
    ),
)


@given(HOSTILE, HOSTILE)
def test_n4_no_value_changes_the_structure_nor_is_looked_at_again(a, b):
    text = """
        template: t
        arguments: {a: {type: str}, b: {type: str}}
        spec:
          pipeline: p
          description: "x ${{ arguments.a }} y ${{ arguments.b }} z"
          parameters: {one: "${{ arguments.a }}", two: ["${{arguments.b}}", "$${{ c }}"]}
    """
    made = parse_template(yaml.safe_load(text)).render({"a": a, "b": b})
    assert made == {
        "pipeline": "p",
        "description": f"x {a} y {b} z",
        "parameters": {"one": a, "two": [b, "${{ c }}"]},
    }


def test_two_arguments_in_one_text_are_both_put_in():
    spec = {"description": "${{ arguments.a }}${{ arguments.b }}"}
    made = template(spec, a={"type": "int"}, b={"type": "bool"}).render({"a": 1, "b": True})
    assert made == {"description": "1true"}


def test_a_template_that_holds_itself_is_refused():
    raw = yaml.safe_load("template: t\nspec: &a {parameters: *a}")
    with pytest.raises(InvalidInputError, match="contains itself"):
        parse_template(raw)


def test_every_type_says_what_it_allows():
    for kind in ArgumentType:
        more = {"choices": ["a"]} if kind is ArgumentType.CHOICE else {}
        made = template({"parameters": {"x": "${{ arguments.x }}"}}, x={"type": str(kind), **more})
        assert made.arguments[0].allowed()
        Draft202012Validator.check_schema(made.schema())
