"""``lake://`` in fsspec: fsspec's own suite, and the libraries that people read tables with."""

import gzip

import duckdb
import fsspec
import pandas as pd
import pyarrow.dataset
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.tests import abstract

from jupyter_datalake.errors import InvalidInputError, PathNotFoundError
from jupyter_datalake.lake.filesystem import LakeFileSystem

TABLE = pd.DataFrame({"a": range(5), "b": list("abcde")})


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    return local_lake


@pytest.fixture
def options(lake):
    yield {"lake_url": lake.url}
    for filesystem in LakeFileSystem._cache.values():
        filesystem.lake.close()
    LakeFileSystem.clear_instance_cache()


@pytest.fixture
def filesystem(options):
    return fsspec.filesystem("lake", **options)


class Fixtures(abstract.AbstractFixtures):
    """What fsspec's suite asks of a file system."""

    @pytest.fixture
    def fs(self, lake):
        filesystem = LakeFileSystem(lake_url=lake.url, skip_instance_cache=True)
        yield filesystem
        filesystem.lake.close()

    @pytest.fixture
    def fs_path(self):
        return "raw@main/test"

    @pytest.fixture
    def local_fs(self):
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def supports_empty_directories(self):
        return False  # a folder is a commit's, and making one for mkdir would be noise


FOLDERS_STAY = pytest.mark.skip(
    "wants a folder to vanish with its last file; see test_a_folder_stays_without_its_last_file"
)


class TestCopying(abstract.AbstractCopyTests, Fixtures):
    @FOLDERS_STAY
    def test_copy_directory_to_new_directory(self):
        """A lake keeps folders."""

    @FOLDERS_STAY
    def test_copy_directory_without_files_with_same_name_prefix(self):
        """A lake keeps folders."""


class TestGetting(abstract.AbstractGetTests, Fixtures):
    pass


class TestPutting(abstract.AbstractPutTests, Fixtures):
    @FOLDERS_STAY
    def test_put_directory_to_new_directory(self):
        """A lake keeps folders."""

    @FOLDERS_STAY
    def test_put_directory_without_files_with_same_name_prefix(self):
        """A lake keeps folders."""


def test_a_folder_stays_without_its_last_file(filesystem, tmp_path):
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_text("1")
    filesystem.put(str(tmp_path / "tree"), "raw@main/put", recursive=True)
    filesystem.copy("raw@main/put", "raw@main/copied", recursive=True)
    for folder in ("put", "copied"):
        assert filesystem.find(f"raw@main/{folder}") == [f"raw@main/{folder}/deep/file"]
        filesystem.rm(f"raw@main/{folder}/deep/file")
        assert filesystem.ls(f"raw@main/{folder}/deep") == []


class TestOpening(abstract.AbstractOpenTests, Fixtures):
    pass


class TestPiping(abstract.AbstractPipeTests, Fixtures):
    pass


@pytest.mark.parametrize("name", ["x/table.parquet", "x/table.csv"])
def test_pandas_reads_what_it_wrote_at_the_commit_it_names(lake, options, name):
    write = TABLE.to_parquet if name.endswith("parquet") else TABLE.to_csv
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    write(f"lake://raw@main/{name}", index=False, storage_options=options)
    lake.refs.create_tag("raw", "before")
    lake.files.delete(f"raw@main/{name}")
    pd.testing.assert_frame_equal(read(f"lake://raw@before/{name}", storage_options=options), TABLE)
    with pytest.raises(FileNotFoundError, match=name):
        read(f"lake://raw@main/{name}", storage_options=options)


def test_pyarrow_and_duckdb_read_a_lake(filesystem, options):
    TABLE.to_parquet("lake://raw@main/t/1.parquet", storage_options=options)
    TABLE.to_parquet("lake://raw@main/t/2.parquet", storage_options=options)
    assert pyarrow.dataset.dataset("raw@main/t", filesystem=filesystem).count_rows() == 10
    with duckdb.connect() as connection:
        connection.register_filesystem(filesystem)
        query = "select sum(a) from 'lake://raw@main/t/*.parquet'"
        assert connection.sql(query).fetchall() == [(20,)]


def test_info_is_the_passport_of_a_file(lake, filesystem):
    commit = lake.files.put("raw@main/a.csv", "1")
    info = filesystem.info("lake://raw@main/a.csv")
    assert (info["repo"], info["commit"], info["global_id"]) == ("raw", commit.id, commit.global_id)
    assert filesystem.ukey("raw@main/a.csv") == info["digest"]
    assert filesystem.created("raw@main/a.csv") == commit.created_at


def test_the_root_lists_repos(filesystem):
    assert filesystem.ls("lake://", detail=False) == ["raw@main"]
    assert filesystem.isdir("raw@main")


def test_a_transaction_is_one_commit_for_each_branch(lake, filesystem):
    lake.repos.create("other")
    before = len(lake.commits.list("raw"))
    with filesystem.transaction:
        for name in ("raw@main/a", "raw@main/b/c", "other@main/d"):
            filesystem.pipe_file(name, name.encode())
        assert not filesystem.exists("raw@main/a")
    assert len(lake.commits.list("raw")) == before + 1
    assert filesystem.cat_file("raw@main/b/c") == b"raw@main/b/c"
    assert filesystem.cat_file("other@main/d") == b"other@main/d"
    assert lake.sessions.list() == []


def test_a_transaction_that_fails_commits_nothing(lake, filesystem):
    before = lake.commits.get("raw")
    with pytest.raises(RuntimeError, match="half way"), filesystem.transaction:  # noqa: PT012
        filesystem.pipe_file("raw@main/a", b"1")
        raise RuntimeError("half way")
    assert lake.commits.get("raw") == before
    filesystem.pipe_file("raw@main/a", b"2")
    assert lake.files.read("raw@main/a") == b"2"


def test_a_file_whose_writer_fails_is_not_committed(lake, filesystem):
    before = lake.commits.get("raw")
    opened = filesystem.open("raw@main/a", "wb")
    with pytest.raises(RuntimeError, match="half way"), opened as file:  # noqa: PT012
        file.write(b"half")
        raise RuntimeError("half way")
    assert lake.commits.get("raw") == before


def test_a_mode_that_a_lake_does_not_have_names_the_way_out(filesystem):
    with pytest.raises(InvalidInputError, match="'ab'"):
        filesystem.open("raw@main/a", "ab")
    filesystem.pipe_file("raw@main/a", b"1")
    with pytest.raises(FileExistsError):
        filesystem.open("raw@main/a", "xb")


def test_frames_carry_the_commit_they_were_read_from(lake):
    lake.files.put("raw@main/people.csv.gz", _zipped("name,age\nAda,36\n"))
    first = lake.commits.get("raw")
    lake.files.put("raw@main/people.csv.gz", _zipped("name,age\nAda,36\nGrace,85\n"))
    frame = lake.files.read_frame("raw@main^/people.csv.gz", dtype={"age": "int8"})
    assert frame.to_dict("list") == {"name": ["Ada"], "age": [36]}
    assert frame.attrs["datalake"] == {
        "repo": "raw",
        "commit": first.id,
        "path": "people.csv.gz",
        "global_id": first.global_id,
    }


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.parquet", TABLE.to_parquet),
        ("t.feather", TABLE.to_feather),
        ("t.csv", lambda path: TABLE.to_csv(path, index=False)),
        ("t.TSV", lambda path: TABLE.to_csv(path, index=False, sep="\t")),
        ("t.json", TABLE.to_json),
        ("t.jsonl", lambda path: TABLE.to_json(path, orient="records", lines=True)),
        ("t.jsonl.zst", lambda path: TABLE.to_json(path, orient="records", lines=True)),
    ],
)
def test_frames_are_read_by_the_ending_of_their_name(lake, tmp_path, name, write):
    write(tmp_path / name)
    lake.files.put(f"raw@main/{name}", tmp_path / name)
    pd.testing.assert_frame_equal(lake.files.read_frame(f"raw@main/{name}"), TABLE)


@pytest.mark.parametrize("name", ["notes", "model.pkl", "t.parquet.gz"])
def test_a_name_without_a_reader_names_the_way_out(lake, name):
    lake.files.put(f"raw@main/{name}", "x")
    with pytest.raises(InvalidInputError, match=name) as refused:
        lake.files.read_frame(f"raw@main/{name}")
    assert "lake.files.open" in refused.value.hint


def test_a_frame_of_nothing_is_not_found(lake):
    with pytest.raises(PathNotFoundError, match=r"gone\.csv"):
        lake.files.read_frame("raw@main/gone.csv")


def _zipped(text):
    return gzip.compress(text.encode())
