"""What a worker is told to do and what it answers, in a form that crosses processes as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jupyter_datalake.errors import ErrorKind
from jupyter_datalake.model.datums import DatumInput, DatumState, parse_datum_input
from jupyter_datalake.model.environments import Wanted
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId
from jupyter_datalake.model.pipeline_specs import parse_stored_spec
from jupyter_datalake.model.pipelines import PipelineSpec
from jupyter_datalake.model.written_specs import spec_as_dict


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
    code_commit_id: CommitId | None
    """None where the code was never published; then `code_root` is what runs."""
    inputs: tuple[DatumInput, ...]
    failure: str = ""
    """Why the code failed, where the pipeline's recovery is to run in its place."""
    failed_artifacts: Digest | None = None
    """What the code left then: a notebook as far as it came, and the log."""
    environment: Wanted | None = None
    """What it is run in, in place of what its code says."""
    run: int = 0
    """Tells apart the runs of one try, where an executor may begin it twice: of a cluster whose
    worker was cut off."""
    step: str = ""
    """The step of the job that this is, in place of a datum; it leaves no output."""
    variables: dict[str, str] = field(default_factory=dict)
    """What the step is told besides."""
    checked: Digest | None = None
    """The output that the step looks at, if it does."""
    code_root: Digest | None = None
    """Root of the tree of the code, where no commit has it."""

    @property
    def name(self) -> str:
        """Name of this try among all of its job's."""
        name = f"{self.position}-{self.job_attempt}.{self.attempt}"
        return f"{name}.{self.run}" if self.run else name

    @property
    def kind(self) -> str:
        """What this is a try of: a datum, or a step of the job."""
        return "step" if self.step else "datum"

    @property
    def id(self) -> str:
        """Name of this try among all there are."""
        return f"{self.job_id}/{self.name}"


def bundle_as_dict(tasks: Sequence[DatumTask]) -> dict[str, Any]:
    """Return the JSON form of tries of one job, which says once what they have in common."""
    first = tasks[0]
    return {
        "job_id": first.job_id,
        "job_attempt": first.job_attempt,
        "global_id": first.global_id,
        "spec": spec_as_dict(first.spec),
        "code_commit_id": first.code_commit_id,
        "code_root": None if first.code_root is None else first.code_root.hex(),
        "run": first.run,
        "step": first.step,
        "variables": first.variables,
        "checked": None if first.checked is None else first.checked.hex(),
        "environment": None if first.environment is None else asdict(first.environment),
        "datums": [
            [
                one.position,
                one.attempt,
                one.failure,
                None if one.failed_artifacts is None else one.failed_artifacts.hex(),
                [given.as_dict() for given in one.inputs],
            ]
            for one in tasks
        ],
    }


def parse_bundle(raw: dict[str, Any]) -> list[DatumTask]:
    """Return the tries of their JSON form."""
    spec = parse_stored_spec(raw["spec"])
    environment = None if raw["environment"] is None else Wanted(**raw["environment"])
    return [
        DatumTask(
            job_id=raw["job_id"],
            position=position,
            job_attempt=raw["job_attempt"],
            attempt=attempt,
            global_id=GlobalId(raw["global_id"]),
            spec=spec,
            code_commit_id=raw["code_commit_id"],
            code_root=_digest(raw["code_root"]),
            inputs=tuple(parse_datum_input(one) for one in inputs),
            failure=failure,
            failed_artifacts=_digest(artifacts),
            run=raw["run"],
            step=raw["step"],
            variables=raw["variables"],
            checked=_digest(raw["checked"]),
            environment=environment,
        )
        for position, attempt, failure, artifacts, inputs in raw["datums"]
    ]


@dataclass(frozen=True, slots=True)
class DatumOutcome:
    """How one try of one datum ended."""

    state: DatumState
    """`SUCCESS`, `RECOVERED` or `FAILED`; `QUEUED` when it was stopped: it says nothing then."""
    message: str = ""
    kind: ErrorKind | None = None
    output_root: Digest | None = None
    artifacts_root: Digest | None = None
    started_ns: int = 0
    """When its folder was begun; 0 if it never was."""
    finished_ns: int = 0
    keeps_kernel: bool = False
    """Whether its kernel is kept, by the worker that ran it, which takes no other try then."""

    @property
    def spent_s(self) -> float:
        """Seconds that it took, without waiting for its turn."""
        return max(self.finished_ns - self.started_ns, 0) / 1e9

    def but_failed(self, message: str, kind: ErrorKind) -> DatumOutcome:
        """Return the outcome of a try whose results could not be kept."""
        return replace(
            self,
            state=DatumState.FAILED,
            message=message,
            kind=kind,
            output_root=None,
            artifacts_root=None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "state": str(self.state),
            "message": self.message,
            "kind": None if self.kind is None else str(self.kind),
            "output_root": None if self.output_root is None else self.output_root.hex(),
            "artifacts_root": None if self.artifacts_root is None else self.artifacts_root.hex(),
            "started_ns": self.started_ns,
            "finished_ns": self.finished_ns,
            "keeps_kernel": self.keeps_kernel,
        }


def parse_outcome(raw: dict[str, Any]) -> DatumOutcome:
    """Return the outcome of its JSON form."""
    return DatumOutcome(
        state=DatumState(raw["state"]),
        message=raw["message"],
        kind=None if raw["kind"] is None else ErrorKind(raw["kind"]),
        output_root=_digest(raw["output_root"]),
        artifacts_root=_digest(raw["artifacts_root"]),
        started_ns=raw["started_ns"],
        finished_ns=raw["finished_ns"],
        keeps_kernel=raw["keeps_kernel"],
    )


def _digest(raw: str | None) -> Digest | None:
    return None if raw is None else Digest(bytes.fromhex(raw))
