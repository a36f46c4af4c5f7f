"""The folder of a datum, and its log."""

import json
import os

import pytest

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.errors import JobFailedError, MountError
from jupyter_datalake.jobs.runner import _notebook_places, datum_variables
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.workspace import CappedLog, Workspace, places_of
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.pipeline_specs import parse_spec


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    memory_lake.repos.create("code")
    with memory_lake.sessions.create("raw") as session:
        session.put("d/a", "one")
        session.put("d/b", "two")
        session.put("e", "three")
        session.commit("fill")
    return memory_lake


def reads(glob, **more):
    return {"repo": {"name": "raw", "glob": glob, **more}}


def tasks_of(lake, given, **options):
    """Return what a worker is given for each datum of a spec."""
    spec = parse_spec({"pipeline": "p", "command": ["true"], "input": given, **options})
    code = lake.commits.get("code").id
    return [
        DatumTask("job", position, 1, 1, GlobalId("0" * 32), spec, code, inputs)
        for position, inputs in enumerate(lake.pipelines.preview(spec)[0])
    ]


def prepared(lake, task, folder):
    """Return path below ``pfs`` to content of what a datum's program sees."""
    workspace = Workspace(folder)
    core = lake.core
    workspace.prepare(lambda commit_id: core.snapshot(commit_by_id(core, commit_id)), task)
    return {
        str(path.relative_to(workspace.inputs)): path.read_text()
        for path in workspace.inputs.rglob("*")
        if path.is_file()
    }


def test_a_program_sees_the_matched_path_below_its_input(lake, tmp_path):
    task, _ = tasks_of(lake, reads("/*"))
    assert prepared(lake, task, tmp_path / "0") == {"raw/d/a": "one", "raw/d/b": "two"}


def test_a_program_is_told_where_the_match_is_where_the_spec_asks_for_that(lake):
    tasks = tasks_of(lake, reads("/**", give="match"))
    places = [places_of(task)["raw"] for task in tasks]
    assert places == [f"pfs/raw/{path}" for path in ("d/a", "d/b", "e")]
    assert [datum_variables(task)["raw"] for task in tasks] == places
    (batch,) = tasks_of(lake, reads("/**", give="match"), datums={"batch": 10})
    assert datum_variables(batch)["raw"] == "pfs/raw"


def test_files_that_come_empty_have_names_and_no_content(lake, tmp_path):
    task, _ = tasks_of(lake, reads("/*", empty_files=True))
    assert prepared(lake, task, tmp_path / "0") == {"raw/d/a": "", "raw/d/b": ""}


class Shown:
    """Shows inputs in a folder of its own, which a test fills, or says why it does not."""

    def __init__(self, folder, refusal=""):
        self.folder = folder
        self.refusal = refusal
        self.asked = []

    def show(self, task, given, notes):
        self.asked.append([(one.name, one.path) for one in given])
        if self.refusal:
            raise MountError(self.refusal)
        place = self.folder / given[0].name
        place.mkdir(parents=True)
        (place / "kept").write_text("it is shown")
        return place


def prepare(lake, task, folder, lazy):
    workspace = Workspace(folder)
    core = lake.core

    def snapshot_of(commit_id):
        return core.snapshot(commit_by_id(core, commit_id))

    return workspace, workspace.prepare(snapshot_of, task, lazy)


def test_a_lazy_input_is_shown_and_what_shows_it_outlives_the_datum(lake, tmp_path):
    beside = {"cross": [reads("/*", lazy=True), reads("/e", **{"as": "other"})]}
    task, _ = tasks_of(lake, beside)
    shown = Shown(tmp_path / "shown")
    workspace, notes = prepare(lake, task, tmp_path / "0", shown)
    assert notes == []
    assert shown.asked == [[("raw", "d")]]
    assert (workspace.inputs / "raw").readlink() == tmp_path / "shown" / "raw"
    assert (workspace.inputs / "other" / "e").read_text() == "three"
    assert places_of(task) == {"raw": "pfs/raw", "other": "pfs/other"}
    workspace.remove()
    assert not workspace.folder.exists()
    assert (tmp_path / "shown" / "raw" / "kept").read_text() == "it is shown"


def test_what_a_group_and_a_batch_hold_of_a_lazy_input_is_shown_at_once(lake, tmp_path):
    grouped = {"group": [reads("/(**)/?", by="$1", lazy=True)]}
    (task,) = tasks_of(lake, grouped, datums={"batch": 10})
    shown = Shown(tmp_path / "shown")
    workspace, _ = prepare(lake, task, tmp_path / "0", shown)
    assert shown.asked == [[("raw", "e"), ("raw", "d/a"), ("raw", "d/b")]]
    batch = {"raw": [["pfs/raw/e"], ["pfs/raw/d/a", "pfs/raw/d/b"]]}
    assert json.loads((workspace.inputs / ".batch.json").read_text()) == batch


def test_what_cannot_be_shown_is_copied_and_the_log_is_told_why(lake, tmp_path):
    task, _ = tasks_of(lake, reads("/*", lazy=True))
    refusing = Shown(tmp_path / "shown", "there is no FUSE here")
    workspace, notes = prepare(lake, task, tmp_path / "0", refusing)
    assert notes == ["the lazy input raw is copied: there is no FUSE here"]
    assert not (workspace.inputs / "raw").is_symlink()
    assert (workspace.inputs / "raw" / "d" / "a").read_text() == "one"
    workspace, notes = prepare(lake, task, tmp_path / "1", None)
    assert notes == ["the lazy input raw is copied: this worker cannot mount"]
    assert (workspace.inputs / "raw" / "d" / "b").read_text() == "two"


def test_a_datum_is_the_same_whether_its_input_is_lazy_or_not(lake):
    copied, lazy = (tasks_of(lake, reads("/*", lazy=one)) for one in (False, True))
    assert [one.inputs for one in copied] == [one.inputs for one in lazy]


def test_a_batch_holds_what_several_of_its_datums_read_once(lake, tmp_path):
    either = {"union": [reads("/*"), reads("/**")]}
    (task,) = tasks_of(lake, either, datums={"batch": 10})
    found = prepared(lake, task, tmp_path / "0")
    batch = json.loads(found.pop(".batch.json"))
    assert found == {"raw/d/a": "one", "raw/d/b": "two", "raw/e": "three"}
    assert batch == {
        "raw": [f"pfs/raw/{path}" for path in ("d", "e", "d/a", "d/b", "e")],
    }
    assert _notebook_places(task) == batch


def test_a_batch_of_groups_is_a_list_of_lists(lake, tmp_path):
    grouped = {"group": [reads("/(**)/?", by="$1")]}
    (task,) = tasks_of(lake, grouped, datums={"batch": 10})
    batch = {"raw": [["pfs/raw/e"], ["pfs/raw/d/a", "pfs/raw/d/b"]]}
    assert _notebook_places(task) == batch
    assert json.loads(prepared(lake, task, tmp_path / "0")[".batch.json"]) == batch


def test_what_a_datum_has_nothing_of_is_none(lake):
    either = {"union": [reads("/e"), reads("/d", **{"as": "other"})]}
    first, second = tasks_of(lake, either)
    assert places_of(first) == {"raw": "pfs/raw", "other": None}
    assert places_of(second) == {"raw": None, "other": "pfs/other"}
    (batch,) = tasks_of(lake, either, datums={"batch": 2})
    assert _notebook_places(batch) == {"raw": ["pfs/raw/e", None], "other": [None, "pfs/other/d"]}


def test_a_name_that_is_no_text_is_refused_where_a_notebook_would_get_it(lake):
    lake.files.put("raw@main/" + os.fsdecode(b"\xff"), "x")
    *_, task = tasks_of(lake, reads("/*"), datums={"batch": 9})
    with pytest.raises(JobFailedError, match="not UTF-8"):
        _notebook_places(task)
    *_, alone = tasks_of(lake, reads("/*"))
    assert _notebook_places(alone) == {"raw": "pfs/raw"}


def test_n8_a_flood_is_cut_with_a_notice_and_nothing_raises(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path, limit=1 << 20) as log:
        for _ in range(100):
            log.write("x" * 100_000)
        log.line("late")
    text = path.read_text()
    assert len(text) < (1 << 20) + 200
    assert text.endswith("[the log ends here: it reached 1 MiB]\n")


def test_what_is_written_can_be_read_at_once(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path) as log:
        log.line("hello")
        assert path.read_text() == "[datalake] hello\n"


def test_text_that_is_no_utf_8_is_escaped(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path) as log:
        log.write("a\udcffb")
    assert path.read_text() == "a\\udcffb"


def test_code_finds_inputs_and_output_where_it_looks_for_them(lake, tmp_path):
    paths = {
        "../lake/raw": "raw",
        "../../reports": "out/reports/",
        "model.bin": "out/model.bin",
        "plots": "out/plots/",
        "deep/e": "raw/e",
    }
    task, *_ = tasks_of(lake, reads("/"), paths=paths)
    workspace = Workspace.of(lake.core, task)
    core = lake.core
    notes = workspace.prepare(lambda commit_id: core.snapshot(commit_by_id(core, commit_id)), task)
    run = workspace.run
    assert list(notes) == []
    assert (run / "../lake/raw/d/a").read_text() == "one"
    assert (run / "deep/e").read_text() == "three"
    for path in ("../../reports/r", "model.bin", "plots/p"):
        (run / path).write_text(path)
    written = {str(one.relative_to(workspace.out)) for one in workspace.out.rglob("*")}
    assert written == {"reports", "reports/r", "model.bin", "plots", "plots/p"}
    inside = (run / "../../reports").resolve(), (run / "../lake").resolve()
    assert all(one.is_relative_to(workspace.folder.resolve()) for one in inside)


def test_what_cannot_be_shown_is_told_and_nothing_is_written_outside(lake, tmp_path):
    task, *_ = tasks_of(lake, reads("/"), paths={"../../lake/raw": "raw", "../run/x": "raw"})
    workspace = Workspace(tmp_path / "reopened" / "0")
    core = lake.core
    notes = workspace.prepare(lambda commit_id: core.snapshot(commit_by_id(core, commit_id)), task)
    assert list(notes) == [
        "../../lake/raw is not shown: it leads outside of the datum's folder",
    ]
    assert not (tmp_path / "lake").exists()
    assert (workspace.run / "x").is_symlink()
