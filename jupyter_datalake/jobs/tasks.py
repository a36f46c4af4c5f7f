"""What a worker is told to do and what it answers, in a form that crosses processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.model.datums import DatumInput, DatumState, parse_datum_input
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId
from jupyter_datalake.model.pipeline_specs import parse_spec, spec_as_dict
from jupyter_datalake.model.pipelines import PipelineSpec


@dataclass(frozen=True, slots=True)
class DatumTask:
    """One try of one datum."""

    job_id: str
    position: int
    job_attempt: int
    """How often the job was taken up: a lost one's worker may still be writing."""
    attempt: int
    """How often the datum was tried since then, from 1."""
    global_id: GlobalId
    spec: PipelineSpec
    code_commit_id: CommitId
    inputs: tuple[DatumInput, ...]

    @property
    def name(self) -> str:
        """Name of this try among all of its job's."""
        return f"{self.position}-{self.job_attempt}.{self.attempt}"

    @property
    def id(self) -> str:
        """Name of this try among all there are."""
        return f"{self.job_id}/{self.name}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "job_id": self.job_id,
            "position": self.position,
            "job_attempt": self.job_attempt,
            "attempt": self.attempt,
            "global_id": self.global_id,
            "spec": spec_as_dict(self.spec),
            "code_commit_id": self.code_commit_id,
            "inputs": [one.as_dict() for one in self.inputs],
        }


def parse_task(raw: dict[str, Any]) -> DatumTask:
    """Return the task of its JSON form."""
    return DatumTask(
        job_id=raw["job_id"],
        position=raw["position"],
        job_attempt=raw["job_attempt"],
        attempt=raw["attempt"],
        global_id=GlobalId(raw["global_id"]),
        spec=parse_spec(raw["spec"]),
        code_commit_id=CommitId(raw["code_commit_id"]),
        inputs=tuple(parse_datum_input(one) for one in raw["inputs"]),
    )


@dataclass(frozen=True, slots=True)
class DatumOutcome:
    """How one try of one datum ended."""

    state: DatumState
    """`SUCCESS` or `FAILED`; `QUEUED` when it was stopped and says nothing about the datum."""
    message: str = ""
    kind: ErrorKind | None = None
    output_root: Digest | None = None
    artifacts_root: Digest | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "state": str(self.state),
            "message": self.message,
            "kind": None if self.kind is None else str(self.kind),
            "output_root": None if self.output_root is None else self.output_root.hex(),
            "artifacts_root": None if self.artifacts_root is None else self.artifacts_root.hex(),
        }


def parse_outcome(raw: dict[str, Any]) -> DatumOutcome:
    """Return the outcome of its JSON form."""
    return DatumOutcome(
        state=DatumState(raw["state"]),
        message=raw["message"],
        kind=None if raw["kind"] is None else ErrorKind(raw["kind"]),
        output_root=_digest(raw["output_root"]),
        artifacts_root=_digest(raw["artifacts_root"]),
    )


def _digest(raw: str | None) -> Digest | None:
    return None if raw is None else Digest(bytes.fromhex(raw))
