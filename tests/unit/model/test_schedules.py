"""Schedules: the forms that exist, when they tick, and what is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.schedules import parse_schedule


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "following"),
    [
        ("@every 24h", "2026-01-31T12:00", "2026-02-01T12:00"),
        ("@every 1d2h3m4s", "2026-01-31T00:00", "2026-02-01T02:03:04"),
        ("@every 90s", "2026-01-31T00:00", "2026-01-31T00:01:30"),
        ("@hourly", "2026-01-31T12:00", "2026-01-31T13:00"),
        ("@hourly", "2026-01-31T12:59:59.999999", "2026-01-31T13:00"),
        ("@daily", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@midnight", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@weekly", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@monthly", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@yearly", "2026-01-31T12:00", "2027-01-01T00:00"),
        ("@annually", "2026-01-31T12:00", "2027-01-01T00:00"),
        ("0 6 * * MON-FRI", "2026-01-30T06:00", "2026-02-02T06:00"),
        ("*/15 * * * *", "2026-01-31T12:01", "2026-01-31T12:15"),
        ("0 0 29 2 *", "2026-01-31T12:00", "2028-02-29T00:00"),
        ("0 0 * * 7", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("  @daily ", "2026-01-31T12:00", "2026-02-01T00:00"),
    ],
)
def test_schedules_tick_when_they_say(text, moment, following):
    assert parse_schedule(text).next_after(at(moment)) == at(following)


def test_times_of_other_zones_are_taken_as_the_instants_they_are():
    noon = datetime(2026, 1, 31, 1, 30, tzinfo=timezone(timedelta(hours=5)))  # 20:30 in UTC
    assert parse_schedule("@daily").next_after(noon) == at("2026-01-31T00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "@reboot",
        "@never",
        "@every",
        "@every 0s",
        "@every 5",
        "@every -1h",
        "@every 1.5h",
        "@every 1s1h",
        "@every 99999999999999999999d",
        "@every 999999999d",
        "@every 36526d",
        "@every \u0663h",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "61 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "0 0 30 2 *",
        "*/0 * * * *",
        "a b c d e",
        "- - - - -",
    ],
)
def test_other_schedules_are_refused_on_one_line(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_schedule(text)
    assert caught.value.kind is ErrorKind.INVALID_CRON
    assert caught.value.context["schedule"] == text
    assert "\n" not in str(caught.value)


@given(st.text("0123456789*/,-LW#?HR@ A", max_size=20))
def test_any_text_is_a_schedule_that_moves_on_or_is_refused(text):
    try:
        schedule = parse_schedule(text)
    except InvalidInputError:
        return
    moment = at("2026-01-31T12:00")
    assert schedule.next_after(moment) > moment


def test_ticks_of_a_hundred_years_are_still_dates():
    assert parse_schedule("@every 36525d").next_after(at("2026-01-01")).year == 2126
