"""Keys: from where they come, what wraps what, and rotation that is done or not."""

import json
import os

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from jupyter_datalake.errors import (
    ConflictError,
    CorruptDataError,
    ErrorKind,
    FormatError,
    InvalidInputError,
    PermissionDeniedError,
    StorageError,
)
from jupyter_datalake.storage.keys import (
    MainKey,
    check_key_source,
    create_keys,
    find_main_key,
    make_main_key,
    open_keys,
)
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.faults import FaultyObjectStore

LAKE = "0" * 32
HEX = "ab" * 32
ONE, TWO = MainKey(b"1" * 32, "one"), MainKey(b"2" * 32, "two")


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def ring():
    before, own = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def objects():
    return MemoryObjectStore()


def make(objects):
    return create_keys(objects, LAKE, ONE, clock=lambda: 7)


def bundles(objects):
    return sorted(one.name for one in objects.list("keys/"))


# --- where main keys come from --------------------------------------------------------------------


def test_a_key_comes_from_a_file(tmp_path):
    (tmp_path / "key").write_text(HEX + "\n")
    (tmp_path / "key").chmod(0o600)
    assert find_main_key(f"file:{tmp_path}/key", LAKE).secret == bytes.fromhex(HEX)


def test_a_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("MY_KEY", HEX)
    assert find_main_key("env:MY_KEY", LAKE).secret == bytes.fromhex(HEX)
    assert make_main_key("env:MY_KEY", LAKE).secret == bytes.fromhex(HEX)


def test_a_key_comes_from_the_keyring_and_each_lake_has_its_own(ring):
    made = make_main_key("keyring", LAKE)
    assert find_main_key("keyring", LAKE) == made
    assert find_main_key(None, LAKE).secret == made.secret
    assert list(ring.kept) == [("jupyter_datalake", LAKE)]
    with pytest.raises(PermissionDeniedError):
        find_main_key("keyring", "1" * 32)


def test_without_a_word_the_file_of_the_environment_counts_then_its_key(monkeypatch, tmp_path):
    monkeypatch.setenv("DATALAKE_KEY", HEX)
    assert find_main_key(None, LAKE).secret == bytes.fromhex(HEX)
    made = make_main_key(f"file:{tmp_path}/key", LAKE)
    monkeypatch.setenv("DATALAKE_KEY_FILE", f"{tmp_path}/key")
    assert find_main_key(None, LAKE).secret == made.secret


def test_without_any_key_the_message_says_where_to_put_one():
    with pytest.raises(PermissionDeniedError) as caught:
        find_main_key(None, LAKE)
    assert caught.value.kind is ErrorKind.KEY_MISSING
    assert "DATALAKE_KEY_FILE" in str(caught.value)


def test_a_machine_without_a_keyring_says_so_and_other_places_go_on(monkeypatch):
    keyring.set_keyring(keyring.backends.fail.Keyring())
    with pytest.raises(StorageError, match="keyring of this machine"):
        find_main_key("keyring", LAKE)
    with pytest.raises(StorageError, match="file:"):
        make_main_key("keyring", LAKE)
    with pytest.raises(PermissionDeniedError, match="no key was given"):
        find_main_key(None, LAKE)
    monkeypatch.setenv("DATALAKE_KEY", HEX)
    assert find_main_key(None, LAKE).source == "env:DATALAKE_KEY"


def test_a_new_key_file_is_random_and_for_its_owner_only(tmp_path):
    one = make_main_key(f"file:{tmp_path}/a/one", LAKE)
    two = make_main_key(f"file:{tmp_path}/a/two", LAKE)
    assert one.secret != two.secret
    assert len(one.secret) == 32
    assert (tmp_path / "a" / "one").stat().st_mode & 0o777 == 0o600
    assert make_main_key(f"file:{tmp_path}/a/one", LAKE) == one


def test_a_key_file_that_others_can_change_is_refused(tmp_path):
    make_main_key(f"file:{tmp_path}/key", LAKE)
    (tmp_path / "key").chmod(0o622)
    with pytest.raises(PermissionDeniedError, match="chmod 600"):
        find_main_key(f"file:{tmp_path}/key", LAKE)


@pytest.mark.parametrize("text", ["", "short", "zz" * 32, HEX + HEX, "a b"])
def test_what_is_no_key_is_refused_without_being_shown(monkeypatch, text):
    monkeypatch.setenv("MY_KEY", text)
    with pytest.raises(PermissionDeniedError) as caught:
        find_main_key("env:MY_KEY", LAKE)
    assert "MY_KEY" in str(caught.value)
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize("source", ["", "file:", "env:", "http://x", "/path", "keyring:"])
def test_places_that_are_none_are_refused(source):
    with pytest.raises(InvalidInputError, match="file:/path"):
        check_key_source(source)


# --- bundles --------------------------------------------------------------------------------------


def test_keys_come_back_with_the_same_main_key(objects):
    made, found = make(objects), open_keys(objects, LAKE, ONE)
    assert found.current() == made.current()
    assert found.names == made.names
    assert bundles(objects) == ["keys/00000001.json"]


def test_another_main_key_is_told_apart_by_its_id(objects):
    make(objects)
    with pytest.raises(PermissionDeniedError) as caught:
        open_keys(objects, LAKE, TWO)
    assert caught.value.kind is ErrorKind.KEY_WRONG
    assert ONE.id in str(caught.value)
    assert TWO.id in str(caught.value)


def test_keys_of_another_lake_do_not_open(objects):
    make(objects)
    with pytest.raises(CorruptDataError):
        open_keys(objects, "1" * 32, ONE)


def test_no_secret_lies_in_a_bundle_or_shows(objects):
    keys = make(objects)
    raw = objects.read("keys/00000001.json", 0, 1 << 20).decode()
    secrets = [ONE.secret, keys.names, keys.current().secret]
    shown = raw + repr(ONE) + repr(keys) + repr(keys.current()) + repr(keys.list())
    for secret in secrets:
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


@pytest.mark.parametrize("part", ["nonce", "sealed", "main_key", "version"])
def test_a_damaged_bundle_says_so(objects, part):
    make(objects)
    document = json.loads(objects.read("keys/00000001.json", 0, 1 << 20))
    document[part] = {"nonce": "00" * 12, "sealed": "00" * 50, "main_key": 5, "version": []}[part]
    objects.delete("keys/00000001.json")
    objects.create("keys/00000001.json", json.dumps(document).encode())
    with pytest.raises((CorruptDataError, PermissionDeniedError, FormatError)) as caught:
        open_keys(objects, LAKE, ONE)
    assert "key" in caught.value.message
    objects.delete("keys/00000001.json")
    with pytest.raises(CorruptDataError, match="not in the store"):
        open_keys(objects, LAKE, ONE)


def test_a_bundle_under_another_number_does_not_open(objects):
    # An old bundle, put back under the newest number, would hide the newest keys.
    make(objects)
    raw = objects.read("keys/00000001.json", 0, 1 << 20)
    objects.create("keys/00000002.json", raw)
    with pytest.raises(CorruptDataError):
        open_keys(objects, LAKE, ONE)


# --- rotation -------------------------------------------------------------------------------------


def test_after_rotation_only_the_new_main_key_opens_and_data_keys_stay(objects):
    keys = make(objects)
    before = keys.current()
    keys.rotate(main=TWO, now_ns=9)
    assert open_keys(objects, LAKE, TWO).current() == before == keys.current()
    with pytest.raises(PermissionDeniedError):
        open_keys(objects, LAKE, ONE)
    assert bundles(objects) == ["keys/00000002.json"]


def test_a_new_data_key_is_for_new_objects_and_old_ones_are_kept(objects):
    keys = make(objects)
    before = keys.current()
    keys.rotate(data=True, now_ns=9)
    assert keys.current() != before
    assert keys.by_id(before.id) == before
    assert keys.names == open_keys(objects, LAKE, ONE).names
    assert [one.is_current for one in keys.list()] == [False, True]
    assert [one.created_ns for one in keys.list()] == [7, 9]


def test_another_process_follows_a_new_data_key(objects):
    keys = make(objects)
    other = open_keys(objects, LAKE, ONE)
    keys.rotate(data=True, now_ns=9)
    assert other.by_id(keys.current().id) == keys.current()
    assert other.current() == keys.current()
    assert other.by_id(os.urandom(16)) is None


def test_of_two_rotations_at_once_one_is_told(objects):
    keys, other = make(objects), open_keys(objects, LAKE, ONE)
    create = objects.create

    def overtaken(name, data):
        objects.create = create
        other.rotate(data=True, now_ns=8)
        return create(name, data)

    objects.create = overtaken
    with pytest.raises(ConflictError):
        keys.rotate(data=True, now_ns=9)
    assert len(open_keys(objects, LAKE, ONE).list()) == 2
    keys.rotate(data=True, now_ns=10)
    assert [one.created_ns for one in open_keys(objects, LAKE, ONE).list()] == [7, 8, 10]


def test_a_rotation_that_fails_at_any_write_is_done_or_not_and_can_be_repeated():
    for number in range(1, 6):
        objects = MemoryObjectStore()
        make(objects)
        faulty = FaultyObjectStore(objects)
        keys = open_keys(faulty, LAKE, ONE)
        data = keys.current()
        faulty.faults.fail_writes_from = number
        try:
            keys.rotate(main=TWO, now_ns=9)
        except StorageError:
            opened = []
            for main in (ONE, TWO):
                try:
                    opened.append(open_keys(objects, LAKE, main).current())
                except PermissionDeniedError:
                    continue
            assert opened == [data]
            faulty.faults.fail_writes_from = None
            keys.rotate(main=TWO, now_ns=9)
        assert open_keys(objects, LAKE, TWO).current() == data
        assert len(bundles(objects)) == 1
