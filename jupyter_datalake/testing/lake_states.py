"""What a lake shows to whoever opens it, as a value: to compare it before and after a mishap.

Two lakes that went through the same acts differ in random ids and in times. So each fact has an
exact form, for "this very state", and a shape without ids and times, for "the same state".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.changes import ChangeKind
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.refs import DEFAULT_BRANCH

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a lake shows."""

    exact: Hashable
    shape: Hashable


Facts = Mapping[Key, Fact]
"""Repos, refs and sessions of a lake, by what they are called."""

_SESSION = "session"
_FIRST = "first "
"""What the shape of a commit without parents begins with."""


def observe(lake: Lake, shapes: dict[str, Hashable] | None = None) -> dict[Key, Fact]:
    """Return everything a lake shows, by digest where it is committed; `verify` reads the bytes.

    Parameters
    ----------
    shapes
        Shapes of commits by id, which are looked up and added: a commit does not change.

    Raises
    ------
    DatalakeError
        Something cannot be read.
    """
    facts: dict[Key, Fact] = {}
    shapes = {} if shapes is None else shapes
    for repo in lake.repos.list(include_code=True):
        facts["repo", repo.name] = Fact(repo.description, repo.description)
        for ref in lake.refs.list(repo.name):
            commit = lake.commits.get(repo.name, ref.name)
            shape = (ref.kind, _commit_shape(lake, commit, shapes))
            facts["ref", repo.name, ref.name] = Fact(commit.id, shape)
    for session in lake.sessions.list():
        staged = (session.repo, session.branch, _staged(lake, session.id))
        facts[_SESSION, session.id] = Fact(staged, staged)
    return facts


def differs_from_both(
    found: Facts, before: Facts, after: Facts, *, is_atomic: bool = True
) -> str | None:
    """Return what of a state is neither as before an act nor as after it, None if nothing is.

    Sessions that only `found` has are leftovers of what was cut short, and no difference.

    Parameters
    ----------
    found
        The state after the mishap.
    before
        The state of the same lake before the act.
    after
        The state of a copy of the lake in which the act was done.
    is_atomic
        Whether it must be wholly the one or the other; else each path of a session may be either.
    """
    was = differs_from_before(found, before)
    if was is None:
        return None
    now = differs_from_after(found, before, after)
    if now is None or (not is_atomic and _is_between(found, before, after)):
        return None
    return f"it is not as before ({was}) and not as after ({now})"


def differs_from_before(found: Facts, before: Facts) -> str | None:
    """Return what is not this very state any more, None if nothing is."""
    for key in sorted({*found, *before}):
        if key not in before and key[0] == _SESSION:
            continue
        if _exact(found, key) != _exact(before, key):
            return (
                f"{' '.join(key)}: {_exact(before, key)!r:.300} became {_exact(found, key)!r:.300}"
            )
    return None


def differs_from_after(found: Facts, before: Facts, after: Facts) -> str | None:
    """Return in what the state is not that of a copy in which the act was done."""
    for key in sorted({*found, *after}):
        if key[0] == _SESSION and key not in before:
            continue
        if _shape(found, key) != _shape(after, key):
            return f"{' '.join(key)}: {_shape(after, key)!r:.300} is {_shape(found, key)!r:.300}"
    missing = _new_sessions(after, before) - _new_sessions(found, before)
    return f"no session with {next(iter(missing))!r:.300}" if missing else None


def _is_between(found: Facts, before: Facts, after: Facts) -> bool:
    """Tell whether everything is old or new, path by path where it is a session's.

    A repo that was brought to another lake begins there with its first commit, as everywhere.
    """
    for key in {*found, *before, *after}:
        if key[0] == _SESSION and key in before and key in after and key in found:
            old, new = dict(_paths(before[key])), dict(_paths(after[key]))
            for path, content in _paths(found[key]):
                if content not in {old.get(path), new.get(path)}:
                    return False
        elif key not in before and (key[0] == _SESSION or _is_first(found, key)):
            continue
        elif _shape(found, key) not in {_shape(before, key), _shape(after, key)}:
            return False
    return True


def _is_first(facts: Facts, key: Key) -> bool:
    """Tell whether something is the main branch of a repo in another lake, at the first commit."""
    if (key[0], key[1:2], key[-1]) != ("other", ("ref",), DEFAULT_BRANCH) or key not in facts:
        return False
    shape: tuple[object, str] = facts[key].shape  # type: ignore[assignment]  # as `observe` made it
    return shape[1].startswith(_FIRST)


def _paths(fact: Fact) -> tuple[tuple[str, Hashable], ...]:
    staged: tuple[tuple[str, Hashable], ...] = fact.exact[2]  # type: ignore[index]
    return staged  # as `observe` made it


def _exact(facts: Facts, key: Key) -> Hashable:
    return facts[key].exact if key in facts else None


def _shape(facts: Facts, key: Key) -> Hashable:
    return facts[key].shape if key in facts else None


def _new_sessions(facts: Facts, before: Facts) -> Counter[Hashable]:
    return Counter(
        fact.shape for key, fact in facts.items() if key[0] == _SESSION and key not in before
    )


def _commit_shape(lake: Lake, commit: Commit, shapes: dict[str, Hashable]) -> Hashable:
    """Return a digest of what a commit and all before it say and hold, without ids and times."""
    waiting = [commit]
    while waiting:
        one = waiting[-1]
        parents = [parent for parent in one.parents if parent not in shapes]
        if parents:
            with lake.core.metadata.read() as tx:
                waiting += tx.commits.get_many(parents).values()
            continue
        waiting.pop()
        tree = lake.core.snapshot(one)
        held = tuple(
            (path, str(entry.kind), entry.mode, entry.content_digest, entry.size_bytes)
            for path, entry in tree.iter_entries()
        )
        facts = (one.repo, one.branch, one.message, one.author, sorted(one.metadata.items()), held)
        above = tuple(shapes[parent] for parent in one.parents)
        shape = digest_of(repr((facts, above)).encode()).hex()
        shapes[one.id] = shape if above else f"{_FIRST}{shape}"
    return shapes[commit.id]


def _staged(lake: Lake, session_id: str) -> tuple[tuple[str, Hashable], ...]:
    """Return what a session would commit: not what was only written again as it was."""
    staged: list[tuple[str, Hashable]] = []
    with lake.sessions.open(session_id) as session:
        info = session.info
        base = lake.core.snapshot(lake.commits.get(info.repo, info.base_commit_id))
        for change in session.diff():
            content: Hashable = str(change.kind)
            old, new = change.old, change.new
            if change.kind is not ChangeKind.REMOVED and new is not None:
                content = (content, str(new.kind), new.mode)
                if new.kind is FileKind.FILE:
                    with session.open(change.path) as file:
                        data = file.read()
                    was_same = old is not None and (old.kind, old.mode) == (new.kind, new.mode)
                    if was_same and base.read(change.path) == data:
                        continue  # only until it is folded or committed does it count as modified
                    content = (content, digest_of(data).hex())
            staged.append((str(change.path), content))
    return tuple(staged)


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder: relative path to content; empty where there is none."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
