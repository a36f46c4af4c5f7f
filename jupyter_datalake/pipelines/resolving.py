"""Resolving: which commits a job reads."""

from __future__ import annotations

from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.pipelines import keyed_inputs


def resolve_inputs(tx: Transaction, job: Job, row: PipelineRow) -> dict[str, CommitId]:
    """Return the commit that each repo input of a job reads.

    What was committed under the job's global id comes first; a branch that the change did not
    reach is read as it was when the change happened.
    """
    spec, _ = tx.pipelines.version(row.id, job.pipeline_version)
    mine = tx.commits.by_global_id(job.global_id)
    inputs = dict(job.heads)
    for key, given in keyed_inputs(spec).items():
        for commit in mine:
            if (commit.repo, commit.branch) == (given.repo, given.branch):
                inputs[key] = commit.id
    return inputs
