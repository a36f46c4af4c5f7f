"""The state machines of jobs and datums: the tables are whole and say what they should."""

import pytest

from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.model.datums import DATUM_TRANSITIONS, DONE_STATES, DatumState
from jupyter_datalake.model.jobs import (
    JOB_TRANSITIONS,
    LIVE_STATES,
    JobState,
    check_job_transition,
)


def reachable(table, start):
    found, waiting = {start}, [start]
    while waiting:
        for following in table[waiting.pop()]:
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found


@pytest.mark.parametrize(
    ("table", "states", "start"),
    [
        (JOB_TRANSITIONS, JobState, JobState.WAITING),
        # a recovered datum needs a policy that specs cannot state yet, but the table knows it
        (DATUM_TRANSITIONS, DatumState, DatumState.QUEUED),
    ],
)
def test_every_state_has_a_row_and_can_be_reached(table, states, start):
    assert set(table) == set(states)
    assert reachable(table, start) == set(states)


@pytest.mark.parametrize("table", [JOB_TRANSITIONS, DATUM_TRANSITIONS])
def test_no_state_leads_to_itself_and_every_walk_can_end(table):
    ends = {state for state, following in table.items() if not following}
    for state, following in table.items():
        assert state not in following
        assert reachable(table, state) & ends


@pytest.mark.parametrize("old", JobState)
@pytest.mark.parametrize("new", JobState)
def test_jobs_move_as_the_table_says(old, new):
    if new in JOB_TRANSITIONS[old]:
        check_job_transition("j1", old, new)
    else:
        with pytest.raises(StateError) as caught:
            check_job_transition("j1", old, new)
        assert caught.value.kind is ErrorKind.WRONG_STATE
        assert caught.value.context == {"job": "j1", "state": str(old)}
        assert str(old) in str(caught.value)
        assert str(new) in str(caught.value)


def test_jobs_that_ended_are_ended():
    assert {state for state in JobState if state.is_terminal} == {
        JobState.SUCCESS,
        JobState.FAILED,
        JobState.CANCELLED,
    }
    assert {state for state in JobState if not state.is_terminal} == LIVE_STATES


def test_a_job_never_comes_back_from_success():
    assert reachable(JOB_TRANSITIONS, JobState.SUCCESS) == {JobState.SUCCESS}


def test_an_output_commit_is_only_made_while_running():
    assert JobState.EGRESSING in JOB_TRANSITIONS[JobState.RUNNING]
    before = {old for old, new in JOB_TRANSITIONS.items() if JobState.EGRESSING in new}
    assert before == {JobState.RUNNING}


def test_done_datums_stay_done_and_failed_ones_may_be_tried_again():
    for state in DONE_STATES:
        assert not DATUM_TRANSITIONS[state]
    assert DATUM_TRANSITIONS[DatumState.FAILED] == {DatumState.QUEUED}
