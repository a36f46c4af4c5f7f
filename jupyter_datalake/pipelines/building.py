"""Building the environment of a pipeline's own ahead of its datums."""

from __future__ import annotations

from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.environment import uv_environment
from jupyter_datalake.jobs.environment_cache import (
    FOLDER,
    EnvironmentCache,
    python_in,
    wanted_of,
)
from jupyter_datalake.jobs.environments import LOCK_FILE
from jupyter_datalake.jobs.uv import Check
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.pipelines.code_files import stored_packages


def build_environment(core: LakeCore, code: CommitId, check: Check | None = None) -> None:
    """Have the environment built that published code is locked to, unless it is there.

    Errors and `check` are those of `EnvironmentCache.use`.
    """
    build_environment_of(core, core.snapshot(commit_by_id(core, code)), check)


def build_environment_of(core: LakeCore, tree: Snapshot, check: Check | None = None) -> None:
    """Have the environment built that the code in a tree is locked to, unless it is there."""
    packages = stored_packages(tree)
    if packages is not None:
        build(core, wanted_of(tree.read(RepoPath(LOCK_FILE)), packages.text.encode()), check)


def build(core: LakeCore, wanted: Wanted, check: Check | None = None) -> str:
    """Have an environment built, unless it is there; return the version of its Python."""
    cache = EnvironmentCache(core.work_folder / FOLDER, uv_environment())
    with cache.use(wanted, check) as place:
        return python_in(place)
