"""Jobs over combined inputs and batches that go on from an earlier one: they are like any other.

Two lakes have the same history. In one, jobs go on; in the other, each looks at all datums.
"""

import random
import threading

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.datums import place_of
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.manifests import iter_items
from jupyter_datalake.pipelines import joining, rebatching, running, touching
from tests.unit.pipelines.inline import FunctionExecutor, run_all

REPOS = "abc"


class Named(FunctionExecutor):
    """Runs a datum as a function that writes what it is given, under a name made of its inputs."""

    def _run(self, task):
        def program(inputs, out):
            if "bad" in inputs.values():
                raise ValueError("a bad input")
            name = digest_of(repr([(one.name, one.path) for one in task.inputs]).encode()).hex()
            (out / name[:2]).mkdir()
            (out / name[:2] / name).write_text(repr(sorted(inputs.items())))

        self._program = program
        return super()._run(task)


class World:
    """A lake with three repos and a pipeline over them."""

    def __init__(self, folder, *, goes_on):
        folder.mkdir()
        self.lake = Lake.create("memory:", author=Author("ada"))
        self._executor = Named(self.lake.core, None, folder)
        self._folder = folder
        self._goes_on = goes_on
        for repo in REPOS:
            self.lake.repos.create(repo)

    def publish(self, spec):
        self.lake.pipelines.apply(spec, folder=self._folder)

    def commit(self, changes):
        """Write and remove files, by repo and path."""
        try:
            with self.lake.transaction("change") as tx:
                for (repo, path), text in sorted(changes.items()):
                    if text is None:
                        tx.delete(f"{repo}@main/{path}")
                    else:
                        tx.put(f"{repo}@main/{path}", text)
        except StateError as error:
            if error.kind is not ErrorKind.NOTHING_TO_COMMIT:  # random changes may be none
                raise

    def run(self):
        with pytest.MonkeyPatch.context() as patch:
            if not self._goes_on:
                patch.setattr(running, "find_basis", lambda *_: None)
            run_all(self.lake, self._executor, threading.Event())

    @property
    def job(self):
        return self.lake.jobs.list(pipeline="p", limit=1)[0]

    def datums(self):
        """Return all that is said of the datums of the newest job, in an order of its own."""
        job = self.job
        found = self.lake.jobs.list_datums(job.id, limit=10_000)
        assert len({place_of(one.inputs) for one in found}) == len(found)
        return sorted(
            (
                one.label,
                one.key,
                one.state,
                one.reason,
                one.output_root is None,
                [
                    (each.name, each.repo, each.path, each.digest, each.size_bytes, each.part)
                    for each in one.inputs
                ],
                {each.commit_id == job.inputs[each.key or each.name] for each in one.inputs},
            )
            for one in found
        )

    def output(self):
        return {
            path: entry.content
            for path, entry in self.lake.core.snapshot(
                self.lake.commits.get("p", "main")
            ).iter_entries()
        }

    def said(self):
        job = self.job
        return job.state, job.outcome, job.datum_total, job.datum_counts, job.message

    def rows(self):
        """Return how many datums of the newest job were looked at."""
        job_id = self.job.id
        with self.lake.core.metadata.read() as tx:
            return tx.datums.count(job_id)

    def keys(self):
        """Return what is in the newest set, its index included."""
        job_id = self.job.id
        with self.lake.core.metadata.read() as tx:
            held = tx.jobs.get_set(job_id)
        nodes = self.lake.core.nodes
        return None if held is None else [item.key for item in iter_items(nodes, held.root)]


def make_worlds(tmp_path_factory):
    """Return a world whose jobs go on, and one whose jobs do not."""
    folder = tmp_path_factory.mktemp("worlds")
    return World(folder / "on", goes_on=True), World(folder / "full", goes_on=False)


@st.composite
def specs(draw):
    names = iter(range(100))

    def leaf(word="", **more):
        words = {word: "$2"} if word else {}
        if word == "on" and draw(st.booleans()):
            words["outer"] = True
        if draw(st.integers(0, 5)) == 0:
            words["glob"] = ["/(*)-(*)", "!/*-2"]
        repo = draw(st.sampled_from(REPOS))
        name = f"{repo}{next(names)}"
        return {"repo": {"name": repo, "as": name, "glob": "/(*)-(*)", **words, **more}}

    def side(word):
        kind = draw(st.sampled_from(["leaf", "leaf", "leaf", "union", "inner"]))
        if kind == "leaf":
            return leaf(word)
        inner = "join" if word == "on" else "group"
        return {"union" if kind == "union" else inner: [leaf(word), leaf(word)]}

    def node(depth):
        kinds = (
            ["leaf"]
            + ["union", "cross", "join", "join", "group", "group"] * (depth > 0)
            + ["join", "group"] * (depth < 0)
        )
        match draw(st.sampled_from(kinds)):
            case "leaf":
                return leaf(empty_files=draw(st.integers(0, 4)) == 0)
            case "join":
                return {"join": [side("on"), side("on")]}
            case "group" if draw(st.booleans()):
                return {"group": [{"join": [leaf("on", by="$1"), leaf("on")]}]}
            case "group":
                return {"group": [side("by") for _ in range(draw(st.integers(1, 2)))]}
            case "cross":
                return {"cross": [leaf(), node(0) if depth == 1 else node(-1)]}
            case kind:
                return {kind: [node(depth - 1) for _ in range(2)]}

    spec = {"pipeline": "p", "command": ["true"], "datums": {"tries": 1}, "input": node(2)}
    if draw(st.integers(0, 3)) == 0:
        spec["input"] = leaf()
        spec["datums"]["batch"] = draw(st.integers(2, 6))
    spec["datums"]["on_error"] = draw(st.sampled_from(["fail", "fail", "skip"]))
    return spec


def history(source, steps):
    """Return changes to files, some of which are in folders that are matched."""
    held = set()
    for step in range(steps):
        changes = {}
        for _ in range(10 if step == 0 else source.randint(1, 3)):
            number, text = source.randint(1, 4), source.randint(1, 3)
            name = f"{number}-{text}" if number % 2 else f"{number}-{text}/{source.choice('xy')}"
            place = source.choice(REPOS), name
            if place in held and source.random() < 0.4:
                changes[place] = None
            else:
                is_bad = step and source.random() < 0.05
                changes[place] = "bad" if is_bad else f"text {source.randint(0, 3)}"
        held = (held | changes.keys()) - {one for one, text in changes.items() if text is None}
        yield changes


# To shrink an example would take minutes; the seed of its history says nothing shorter anyway.
@settings(
    max_examples=settings().max_examples // 10, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
@given(spec=specs(), seed=st.integers(0, 1 << 30))
def test_jobs_that_go_on_are_like_those_that_look_at_everything(tmp_path_factory, spec, seed):
    going_on, full = make_worlds(tmp_path_factory)

    with going_on.lake, full.lake:
        for number, changes in enumerate(history(random.Random(seed), 5)):
            for world in (going_on, full):
                world.commit(changes)
                if number == 0:
                    world.publish(spec)
                world.run()
            assert going_on.said() == full.said()
            if str(full.job.state) == "success":
                assert going_on.datums() == full.datums()
            else:  # it has no set, so only those are listed that were looked at
                assert all(one in full.datums() for one in going_on.datums())
            assert going_on.output() == full.output()
            assert going_on.keys() == full.keys()


ON = {"glob": "/(*)-(*)", "on": "$2"}
BY = {"glob": "/(*)-(*)", "by": "$2"}
ANY = {"glob": "/*"}


def several(kind, **words):
    return {kind: [{"repo": {"name": repo, **words}} for repo in "ab"]}


@pytest.mark.parametrize(
    ("given", "batch", "rows", "total"),
    [
        pytest.param(several("union", **ANY), None, 1, 20, id="union"),
        # 2 of a with 2 of b
        pytest.param(several("join", **ON), None, 4, 20, id="join"),
        pytest.param(several("group", **BY), None, 1, 5, id="group"),
        # the one of a with all of b
        pytest.param(several("cross", **ANY), None, 10, 100, id="cross"),
        pytest.param({"repo": {"name": "a", **ANY}}, 2, 1, 8, id="batch"),
        pytest.param(
            {"union": [several("join", **ON), {"repo": {"name": "c", **ANY}}]},
            None,
            4,
            20,
            id="join in a union",
        ),
        # two inputs that read the same under one name may give one datum twice
        pytest.param({"union": [{"repo": {"name": "a", **ANY}}] * 2}, None, 20, 20, id="twice"),
    ],
)
def test_only_what_is_touched_is_looked_at(tmp_path, given, batch, rows, total):
    world = World(tmp_path / "world", goes_on=True)
    with world.lake:
        names = [f"{number}-{text}" for number in range(2) for text in range(5)]
        world.commit({(repo, name): "x" for repo in "ab" for name in names})
        spec = {"pipeline": "p", "command": ["true"], "input": given, "datums": {"tries": 1}}
        if batch:
            spec["datums"]["batch"] = batch
        world.publish(spec)
        world.run()
        world.commit({("a", "1-3"): "y"})
        world.run()
        assert world.rows() == rows
        if total != rows:
            assert str(world.job.state) == "success"
        assert world.job.datum_total == total


def test_a_set_holds_no_datum_of_very_many_inputs(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "MOST_INPUTS", 3)
    monkeypatch.setattr(touching, "MOST_INPUTS", 3)
    world = World(tmp_path / "world", goes_on=True)
    with world.lake:
        world.commit({("a", f"{number}-x"): "x" for number in range(3)})
        given = {"group": [{"repo": {"name": "a", **BY}}]}
        world.publish({"pipeline": "p", "command": ["true"], "input": given})
        world.run()
        assert world.keys() is not None
        world.commit({("a", "3-x"): "x", ("a", "3-y"): "y"})
        world.run()
        assert world.keys() is None
        assert world.rows() == 2
        world.commit({("a", "3-y"): "z"})
        world.run()
        assert world.job.datum_total == 2
        assert str(world.job.state) == "success"


@pytest.mark.parametrize("batch", [None, 2])
def test_where_too_much_has_changed_all_is_looked_at(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(touching, "MOST_CHANGES", 1)
    monkeypatch.setattr(rebatching, "MOST_CHANGES", 1)
    world = World(tmp_path / "world", goes_on=True)
    one = {"repo": {"name": "a", **ANY}}
    given = one if batch else {"union": [one, {"repo": {"name": "b", **ANY}}]}
    with world.lake:
        world.commit({("a", str(number)): "x" for number in range(9)})
        policy = {"batch": batch} if batch else {"tries": 1}
        world.publish({"pipeline": "p", "command": ["true"], "input": given, "datums": policy})
        world.run()
        world.commit({("a", "1"): "y"})
        world.run()
        assert world.rows() == 1
        world.commit({("a", "1"): "z", ("a", "2"): "z"})
        world.run()
        assert world.rows() == world.job.datum_total
