"""The encrypted object store keeps the contract, and keeps what it was given to itself."""

import hashlib
import hmac
import random
import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupyter_datalake.errors import (
    CorruptDataError,
    ErrorKind,
    FormatError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_datalake.storage.encrypted import (
    MAX_NAME_BYTES,
    SEGMENT_BYTES,
    EncryptedObjectStore,
    content_size,
    sealed_size,
)
from jupyter_datalake.storage.keys import MainKey, create_keys
from jupyter_datalake.storage.local import LocalObjectStore
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite

MAIN = MainKey(bytes(range(32)), "a test")
EDGES = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES]


def encrypted(inner):
    return EncryptedObjectStore(inner, create_keys(inner, "0" * 32, MAIN, clock=lambda: 1))


def object_key(data_key, header):
    """HKDF-SHA256, written down once more from its standard."""
    pseudo = hmac.digest(header[32:64], data_key, "sha256")
    return hmac.digest(pseudo, b"jupyter_datalake object" + header + b"\1", "sha256")


def open_object(store, name, stored):
    """Return the content of stored bytes, by docs/format.md and past the code under test."""
    header, body, footer = stored[:64], stored[64:-24], stored[-24:]
    data_key = {one.id: one.secret for one in store.keys._bundle.data}[header[16:32]]
    cipher = AESGCM(object_key(data_key, header))
    size = struct.unpack("<Q", footer[:8])[0]
    cipher.decrypt(bytes(11) + b"\2", footer[8:], footer[:8] + name.encode())
    pieces = [body[at : at + 65552] for at in range(0, len(body), 65552)]
    content = b"".join(
        cipher.decrypt(
            number.to_bytes(11, "big") + (b"\1" if number == len(pieces) - 1 else b"\0"),
            piece,
            None,
        )
        for number, piece in enumerate(pieces)
    )
    assert len(content) == size
    return content


class EncryptedSuite(ObjectStoreSuite):
    def peek(self, store, name):
        sealed = store.sealed_name(name)
        try:
            stored = store.inner.read(sealed, 0, 1 << 40)
        except NotFoundError:
            return None
        return open_object(store, name, stored)

    def poke(self, store, name, data):
        other = EncryptedObjectStore(store.inner, store.keys)
        other.delete(name)
        other.create(name, data)


class TestEncryptedOverMemory(EncryptedSuite):
    @pytest.fixture
    def store(self):
        return encrypted(MemoryObjectStore())


class TestEncryptedOverAFolder(EncryptedSuite):
    @pytest.fixture
    def store(self, tmp_path):
        made = encrypted(LocalObjectStore(tmp_path / "objects"))
        yield made
        made.close()


@pytest.fixture
def store():
    return encrypted(MemoryObjectStore())


def put(store, name, data):
    with store.upload() as upload:
        upload.write(data)
        upload.finish(name)


def stored(store, name):
    return store.inner.read(store.sealed_name(name), 0, 1 << 40)


def overwrite(store, name, data):
    store.inner.delete(store.sealed_name(name))
    store.inner.create(store.sealed_name(name), data)


def fresh(store):
    """The same store as another process sees it, with nothing remembered."""
    return EncryptedObjectStore(store.inner, store.keys)


def test_nothing_that_was_written_can_be_seen_behind_it(store):
    content = b"a secret that must not be seen " * 5000
    put(store, "packs/ab/" + "ab" * 32 + ".pack", content)
    store.create("small", content[:31])
    for info in store.inner.list(""):
        raw = store.inner.read(info.name, 0, 1 << 40)
        assert b"secret" not in raw
        assert "ab" * 8 not in info.name
        assert "small" not in info.name
        assert MAIN.secret not in raw
        assert MAIN.secret.hex().encode() not in raw


def test_equal_contents_are_not_equal_behind_it(store):
    put(store, "one", b"x" * 1000)
    put(store, "two", b"x" * 1000)
    one, two = stored(store, "one"), stored(store, "two")
    assert len(one) == len(two)
    assert len(set(zip(one[64:], two[64:], strict=True))) > 900


def test_two_lakes_give_one_name_two_spellings():
    names = {
        EncryptedObjectStore(
            inner, create_keys(inner, "0" * 32, MAIN, clock=lambda: 1)
        ).sealed_name("packs/x")
        for inner in (MemoryObjectStore(), MemoryObjectStore())
    }
    assert len(names) == 2


@pytest.mark.parametrize("size", EDGES)
def test_sizes_around_the_ends_of_segments_come_back(store, size):
    content = random.Random(size).randbytes(size)
    put(store, "x", content)
    assert store.read("x", 0, size + 1) == content
    assert open_object(store, "x", stored(store, "x")) == content
    assert len(stored(store, "x")) == sealed_size(size)
    assert content_size(sealed_size(size)) == size
    assert store.info("x").size_bytes == size


def test_pieces_of_any_size_make_the_same_content(store):
    noise = random.Random(3)
    for number in range(20):
        content = noise.randbytes(noise.randrange(4 * SEGMENT_BYTES))
        with store.upload() as upload:
            at = 0
            while at < len(content):
                step = noise.choice([1, 44, 1000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 200_000])
                upload.write(content[at : at + step])
                at += step
            upload.finish(f"x{number}")
        assert open_object(store, f"x{number}", stored(store, f"x{number}")) == content


def test_a_range_costs_only_the_segments_that_cover_it(store):
    put(store, "x", random.Random(1).randbytes(20 * SEGMENT_BYTES))
    store.read("x", 0, 1)
    asked = []
    read = store.inner.read
    store.inner.read = lambda name, start, length: asked.append(length) or read(name, start, length)
    store.read("x", 5 * SEGMENT_BYTES + 10, 100)
    assert asked == [SEGMENT_BYTES + 16]
    store.read("x", 6 * SEGMENT_BYTES - 1, 2)
    assert asked[1:] == [2 * (SEGMENT_BYTES + 16)]


# --- damage and attacks ---------------------------------------------------------------------------


def test_every_flipped_bit_is_noticed(store):
    content = random.Random(7).randbytes(SEGMENT_BYTES + 300)
    put(store, "x", content)
    whole = stored(store, "x")
    noise = random.Random(8)
    places = [*range(80), *range(len(whole) - 60, len(whole))]
    places += [noise.randrange(len(whole)) for _ in range(100)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << noise.randrange(8)
        overwrite(store, "x", bytes(damaged))
        with pytest.raises((CorruptDataError, FormatError)) as caught:
            fresh(store).read("x", 0, len(content))
        assert caught.value.context["object"] == "x"
    overwrite(store, "x", whole)
    assert fresh(store).read("x", 0, len(content)) == content


def test_damage_in_one_segment_leaves_the_others_readable(store):
    content = random.Random(7).randbytes(3 * SEGMENT_BYTES)
    put(store, "x", content)
    damaged = bytearray(stored(store, "x"))
    damaged[64 + SEGMENT_BYTES + 16 + 5] ^= 1
    overwrite(store, "x", bytes(damaged))
    with pytest.raises(CorruptDataError, match=str(SEGMENT_BYTES)):
        store.read("x", SEGMENT_BYTES, 10)
    assert store.read("x", 0, SEGMENT_BYTES) == content[:SEGMENT_BYTES]
    assert store.read("x", 2 * SEGMENT_BYTES, 99) == content[2 * SEGMENT_BYTES :][:99]


SEALED = SEGMENT_BYTES + 16
MANGLED = {
    "empty": lambda whole: b"",
    "cut in the header": lambda whole: whole[:40],
    "cut by a byte": lambda whole: whole[:-1],
    "cut by a segment": lambda whole: whole[: 64 + 2 * SEALED],
    "cut by a segment, with its footer": lambda whole: whole[: 64 + 2 * SEALED] + whole[-24:],
    "a segment left out": lambda whole: whole[:64] + whole[64 + SEALED :],
    "segments in another order": lambda whole: (
        whole[:64] + whole[64 + SEALED : 64 + 2 * SEALED] + whole[64:][:SEALED]
        + whole[64 + 2 * SEALED :]
    ),
    "a segment twice": lambda whole: whole[: 64 + SEALED] + whole[64:],
    "longer by a byte": lambda whole: whole + b"\0",
    "longer by a footer": lambda whole: whole + whole[-24:],
}  # fmt: skip


@pytest.mark.parametrize("how", MANGLED)
def test_an_object_that_is_mangled_is_never_read_as_another(store, how):
    content = random.Random(7).randbytes(2 * SEGMENT_BYTES + 100)
    put(store, "x", content)
    put(store, "beside", b"beside")
    overwrite(store, "x", MANGLED[how](stored(store, "x")))
    with pytest.raises(CorruptDataError):
        fresh(store).read("x", 0, len(content))
    assert fresh(store).read("beside", 0, 10) == b"beside"


def test_objects_that_were_swapped_are_noticed(store):
    put(store, "one", b"1" * 500)
    put(store, "two", b"2" * 500)
    one, two = stored(store, "one"), stored(store, "two")
    overwrite(store, "one", two)
    overwrite(store, "two", one)
    for name in ("one", "two"):
        with pytest.raises(CorruptDataError, match="another object"):
            fresh(store).read(name, 0, 500)


def test_a_segment_of_another_object_does_not_fit(store):
    put(store, "one", b"1" * 500)
    put(store, "two", b"2" * 500)
    one, two = stored(store, "one"), stored(store, "two")
    overwrite(store, "one", one[:64] + two[64:-24] + one[-24:])
    with pytest.raises(CorruptDataError):
        fresh(store).read("one", 0, 500)


def test_plain_bytes_under_an_encrypted_name_are_refused(store):
    store.inner.create(store.sealed_name("x"), b"JDLPACK\0" + bytes(1000))
    with pytest.raises(CorruptDataError, match="does not begin like an encrypted object"):
        store.read("x", 0, 10)


def test_an_object_of_a_newer_version_is_refused_by_name(store):
    put(store, "x", b"content")
    whole = bytearray(stored(store, "x"))
    whole[8] = 2
    overwrite(store, "x", bytes(whole))
    with pytest.raises(FormatError) as caught:
        fresh(store).read("x", 0, 7)
    assert caught.value.kind is ErrorKind.FORMAT_TOO_NEW


def test_an_object_that_another_process_wrote_anew_is_read(store):
    put(store, "x", b"same content")
    assert store.read("x", 0, 4) == b"same"
    other = fresh(store)
    other.delete("x")
    put(other, "x", b"same content")
    assert store.read("x", 5, 7) == b"content"


def test_foreign_names_are_no_objects(store):
    put(store, "x", b"content")
    store.inner.create("sealed/aa/aaaaaaaa", b"not ours")
    store.inner.create("elsewhere", b"not ours")
    assert [one.name for one in store.list("")] == ["x"]


def test_names_that_would_not_fit_are_refused(store):
    store.create("n" * MAX_NAME_BYTES, b"fits")
    assert max(len(part) for part in store.sealed_name("n" * MAX_NAME_BYTES).split("/")) <= 255
    with pytest.raises(InvalidInputError):
        store.create("n" * (MAX_NAME_BYTES + 1), b"does not")
    assert [one.name for one in store.list("")] == ["n" * MAX_NAME_BYTES]


def test_the_key_of_an_object_can_be_told_without_reading_it(store):
    put(store, "x", b"content")
    assert store.key_id("x") == store.keys.list()[0].id
    assert hashlib.sha256(store.keys.current().secret).hexdigest() not in repr(store.keys.current())
