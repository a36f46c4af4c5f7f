"""E16: lakes of strangers."""

import contextlib
import os

import pytest
import zstandard

from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.commits import head_of
from jupyter_datalake.engine.healing import Healer
from jupyter_datalake.engine.replication import Replicator
from jupyter_datalake.errors import CorruptDataError, DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.chunklists import ChunkList
from jupyter_datalake.model.commits import CommitDraft, Origin, Provenance
from jupyter_datalake.model.entries import EntryKind, FileEntry, Layout
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.manifests import Branch, Item, Node
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec


@pytest.fixture
def stranger(memory_lake):
    memory_lake.repos.create("gift")
    memory_lake.files.put("gift@main/harmless", "harmless")
    return memory_lake


@pytest.fixture
def own(lake_author):
    with Lake.create("memory:", author=lake_author) as made:
        yield made


def offer(lake, root, **sums):
    """Commit a tree that this program would not make, as a stranger's program can."""
    head = head_of(lake.core, "gift", "main")
    with lake.core.writer() as writer:
        digest = writer.add(BlobKind.NODE, root.encode())
        commit, data = CommitDraft(
            repo="gift",
            branch="main",
            root=digest,
            parents=(head.id,),
            author=lake.author,
            time_ns=1,
            message="a gift",
            global_id="0" * 32,
            provenance=Provenance(Origin.SESSION),
            **{"file_count": 1, "size_bytes": 0, **sums},
        ).seal()
        writer.add(BlobKind.COMMIT, data)
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
        row = tx.repos.get("gift")
        tx.commits.add(row.id, commit)
        tx.refs.move(row, "main", expected=head.id, new=commit.id, by="x", reason="x")
    return commit


def leaf(key, entry):
    return Node(0, [key], items=[Item(key, entry.encode(), entry.size_bytes)])


def inline(content, kind=EntryKind.FILE):
    return FileEntry(kind, len(content), 0o644, 0, Layout.INLINE, content)


def store(lake, kind, data):
    with lake.core.writer() as writer:
        digest = writer.add(kind, data)
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
    return digest


def pull(own, stranger):
    return Replicator(stranger.core, own.core, author=own.author, reason="pull").run()


@pytest.mark.parametrize("key", [b"..\0x", b"\0etc\0passwd", b".", b"a\0..\0..\0x", b"x/y", b""])
def test_e16_paths_that_lead_elsewhere_are_neither_pulled_nor_exported(
    stranger, own, tmp_path, key
):
    offer(stranger, leaf(key, inline(b"evil")), size_bytes=4)
    with pytest.raises(DatalakeError):
        pull(own, stranger)
    assert own.repos.list() == []  # not a repo, not a commit, not a ref
    target = tmp_path / "deep" / "out"
    with contextlib.suppress(DatalakeError):  # most are refused; an empty name is skipped
        stranger.files.export("gift@main/", str(target))
    outside = [one for one in tmp_path.rglob("*") if one.is_file() and target not in one.parents]
    assert outside == []
    assert not os.path.exists(tmp_path / "deep" / "x")


def test_e16_links_are_kept_and_nothing_is_written_through_them(stranger, own, tmp_path):
    entries = [(b"a", inline(b"/tmp", EntryKind.SYMLINK)), (b"a\0x", inline(b"evil"))]
    items = [Item(key, entry.encode(), entry.size_bytes) for key, entry in entries]
    offer(stranger, Node(0, [b"a", b"a\0x"], items=items), file_count=2, size_bytes=8)
    target = tmp_path / "out"
    with pytest.raises(DatalakeError):
        stranger.files.export("gift@main/", str(target))
    assert not (target / "a" / "x").exists()


@pytest.mark.parametrize(
    "sums", [{"file_count": 10**15}, {"size_bytes": 1 << 62}, {"file_count": 0}]
)
def test_e16_counts_that_are_not_so_are_refused(stranger, own, sums):
    offer(stranger, leaf(b"x", inline(b"")), **sums)
    with pytest.raises(CorruptDataError, match="sums"):
        pull(own, stranger)
    assert own.repos.list() == []


def test_e16_counts_of_a_node_that_are_not_so_are_refused(stranger, own):
    below = store(stranger, BlobKind.NODE, leaf(b"x", inline(b"1")).encode())
    root = Node(1, [b"x"], branches=[Branch(b"x", below, 10**12, 1 << 50)])
    offer(stranger, root, file_count=10**12, size_bytes=1 << 50)
    with pytest.raises(CorruptDataError):
        pull(own, stranger)
    assert own.repos.list() == []


def test_e16_a_file_that_claims_to_be_larger_than_its_chunks_is_refused(stranger, own):
    chunk = store(stranger, BlobKind.CHUNK, b"c" * 1000)
    listed = store(stranger, BlobKind.CHUNK_LIST, ChunkList(0, (1000,), (chunk,)).encode())
    entry = FileEntry(EntryKind.FILE, 1 << 50, 0o644, 0, Layout.CHUNK_LIST, listed)
    offer(stranger, leaf(b"x", entry), size_bytes=1 << 50)
    with pytest.raises(CorruptDataError, match="not as long"):
        pull(own, stranger)
    assert own.repos.list() == []


def test_e16_a_bomb_is_not_decompressed(stranger, own):
    zeros = bytes(1 << 28)
    bomb = zstandard.ZstdCompressor(write_content_size=True).compress(zeros)
    record = BlobRecord(digest_of(zeros), BlobKind.CHUNK, Codec.ZSTD, 0, len(bomb), len(zeros))
    with stranger.core.writer() as writer:
        writer.add_stored(record, bomb)
        packs = writer.seal()
    with stranger.core.metadata.write() as tx:
        register_packs(tx, packs)
    entry = FileEntry(EntryKind.FILE, len(zeros), 0o644, 0, Layout.CHUNK, record.digest)
    offer(stranger, leaf(b"x", entry), size_bytes=len(zeros))
    with pytest.raises(CorruptDataError):
        pull(own, stranger)
    with pytest.raises(CorruptDataError):
        stranger.files.read("gift@main/x")
    assert own.repos.list() == []


def test_e16_a_lake_that_hid_other_bytes_under_a_digest_cannot_heal_with_them(stranger, own):
    pull(own, stranger)
    head = own.commits.get("gift")
    mine = own.core.blobs.place(head.root).pack
    with own.core.metadata.write() as tx:
        tx.blobs.forget([head.root])
    own.core.objects.delete(f"packs/{mine[:2]}/{mine}.pack")
    own.core.blobs.forget_places()
    place = stranger.core.blobs.place(head.root)
    name = f"packs/{place.pack[:2]}/{place.pack}.pack"
    data = bytearray(stranger.core.objects.read(name, 0, 1 << 30))
    data[place.record.offset] ^= 1
    stranger.core.objects.delete(name)
    stranger.core.objects.create(name, bytes(data))
    report = Healer(own.core, stranger.core).run()
    assert report.lost == [head.root.hex()]
