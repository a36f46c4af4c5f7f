"""P3: a mount whose lake keeps its metadata in Postgres, while that restarts or says nothing."""

import errno
import os

import pytest
import trio

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata import postgres
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.invariants import check_lake, contents_of
from jupyter_datalake.testing.network import Fate, TcpProxy, black_hole, passing
from tests.unit.mount.conftest import refused

ADA = Author("Ada")
PATIENCE_S = 60
BYTES = bytes(range(256)) * 4_000


def refusing(packet):
    """Be a server that is just not there: every connection is reset."""
    return Fate.DROP


@pytest.fixture
def proxy(postgres_server):
    with TcpProxy("127.0.0.1", postgres_server.port) as made:
        yield made
        made.rule = passing


@pytest.fixture
def lake(tmp_path, postgres_server, proxy, monkeypatch):
    """A lake of few files whose database is asked through the proxy, with little patience."""
    monkeypatch.setattr(postgres, "_BEGIN_S", 0.3)
    monkeypatch.setattr(postgres, "_SLACK_S", 0.3)
    url = postgres_server.url(port=proxy.port)
    config = LakeConfig(str(tmp_path / "lake"), database_url=url, database_wait_s=1)
    with Lake.create(config, author=ADA) as made:
        made.repos.create("raw")
        with made.sessions.create("raw") as session:
            session.put("a.txt", "hello")
            session.put("folder/b.bin", BYTES)
            session.put("unread.bin", BYTES[::-1])
            session.commit("Begin")
            session.delete_session()
        yield made
        proxy.rule = passing


@pytest.mark.logs("database")
@pytest.mark.parametrize("rule", [refusing, black_hole], ids=["restarts", "says nothing"])
def test_p3_what_was_read_is_read_and_a_commit_is_an_error_and_no_hang(run, lake, proxy, rule):
    async def test(mounted):
        before = lake.refs.get("raw", "main")
        names = await mounted.names("raw")
        await mounted.read("raw/a.txt")
        await mounted.read("raw/folder/b.bin")
        session = mounted.view().session

        proxy.rule = rule
        with trio.fail_after(PATIENCE_S):
            assert await mounted.read("raw/a.txt") == b"hello"
            assert await mounted.read("raw/folder/b.bin") == BYTES
            assert await mounted.names("raw") == names
            await mounted.write("raw/new", b"staged")  # stays on this machine until the commit
            assert await mounted.read("raw/new") == b"staged"
            number = await mounted.number("raw/new")
            fh = (await mounted.operations.open(number, os.O_RDWR, None)).fh
            await mounted.operations.fsync(fh, False)
            await mounted.operations.release(fh)
        with trio.fail_after(PATIENCE_S), pytest.raises(StorageError) as found:
            await mounted.shown.commit(session.id, "in vain", ADA, {})
        assert found.value.kind in {ErrorKind.DATABASE_UNAVAILABLE, ErrorKind.DATABASE_BUSY}
        with trio.fail_after(PATIENCE_S):
            assert await mounted.read("raw/a.txt") == b"hello"

        proxy.rule = passing
        with trio.fail_after(PATIENCE_S):
            assert await mounted.read("raw/unread.bin") == BYTES[::-1]
            assert await mounted.read("raw/new") == b"staged"
        assert lake.refs.get("raw", "main") == before
        with trio.fail_after(PATIENCE_S):
            await mounted.shown.commit(mounted.view().session.id, "there", ADA, {})
        assert contents_of(lake, "raw") == {
            "a.txt": b"hello",
            "folder/b.bin": BYTES,
            "new": b"staged",
            "unread.bin": BYTES[::-1],
        }
        assert [one.message for one in lake.commits.list("raw")][:2] == ["there", "Begin"]
        check_lake(lake)

    run(test)


@pytest.mark.logs("database|cannot be read")
def test_p3_what_was_never_read_is_an_error_and_no_hang_until_the_server_is_back(run, lake, proxy):
    async def test(mounted):
        number = await mounted.number("raw/unread.bin")
        lake.core.blobs.forget_places()
        proxy.rule = refusing
        fh = (await mounted.operations.open(number, os.O_RDONLY, None)).fh
        with trio.fail_after(PATIENCE_S):
            await refused(errno.EIO, mounted.operations.read(fh, 0, 100))
        proxy.rule = passing
        with trio.fail_after(PATIENCE_S):
            assert await mounted.operations.read(fh, 0, 100) == BYTES[::-1][:100]
        await mounted.operations.release(fh)
        check_lake(lake)

    run(test)
