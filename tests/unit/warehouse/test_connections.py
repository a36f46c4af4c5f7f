"""Warehouse URLs: what they lead to, and that no password in them is kept or repeated."""

import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.warehouse import Engine
from jupyter_datalake.warehouse.connections import parse_warehouse_url


def test_a_url_names_a_file_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    for url, path in (
        ("duckdb:///data/shop.duckdb", "/data/shop.duckdb"),
        ("duckdb:///data/my%20shop.duckdb", "/data/my shop.duckdb"),
        ("duckdb://shop.duckdb", f"{tmp_path}/shop.duckdb"),
        ("duckdb://~/shop.duckdb", "/home/ada/shop.duckdb"),
    ):
        assert parse_warehouse_url(url) == (Engine.DUCKDB, {"path": path})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.duckdb",
        "mysql://host/shop",
        "duckdb://",
        "duckdb:///",
        "duckdb:///folder/",
        "duckdb:///a?b",
        "duckdb:///a#b",
        "duckdb:///a%00b",
        "duckdb://[x",
        "duckdb://~nobody-of-this-name/x",
        "duckdb://ada@host/x",
    ],
)
def test_other_urls_are_refused_with_what_to_write(url):
    with pytest.raises(InvalidInputError, match="duckdb:///path/to/file") as caught:
        parse_warehouse_url(url)
    assert caught.value.kind is ErrorKind.INVALID_URL
    assert repr(url) in caught.value.message


@pytest.mark.parametrize("scheme", ["snowflake", "postgresql", "duckdb"])
def test_a_password_in_a_url_is_neither_kept_nor_repeated(memory_lake, scheme):
    with pytest.raises(InvalidInputError) as caught:
        memory_lake.warehouse.create("dwh", f"{scheme}://ada:hunter2@host/db")
    assert "hunter2" not in str(caught.value.as_dict())
    assert "ada:***@host" in str(caught.value)
    assert memory_lake.warehouse.list() == []
