"""Schedules: the forms that exist, when they tick, and what is refused."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.schedules import (
    MAX_CAUGHT_UP,
    CatchUp,
    DueTicks,
    coming_ticks,
    parse_schedule,
    take_up,
)


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
def test_n3_other_schedules_are_refused_on_one_line(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_schedule(text)
    assert caught.value.kind is ErrorKind.INVALID_CRON
    assert caught.value.context["schedule"] == text
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("61 * * * *", "'61' in column 1, where no minute"),
        (" 0 24 * * *", "'24' in column 4, where no hour"),
        ("0 0 1 13 *", "'13' in column 7, where no month"),
        ("* * * * * *", "6 fields instead of 5: '*' is too many"),
        ("0 6 *", "3 fields instead of 5: no month"),
        ("@reboot", "not a known name; known are @every, @hourly"),
        ("0 0 30 2 *", "never ticks"),
    ],
)
def test_a_refusal_names_the_field_and_the_column(text, why):
    with pytest.raises(InvalidInputError, match=re.escape(why)):
        parse_schedule(text)


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "../../etc/localtime", "/etc", "Europe", "a\0"]
)
def test_what_is_no_time_zone_is_refused_by_name(zone):
    with pytest.raises(InvalidInputError) as caught:
        parse_schedule("@daily", zone)
    assert caught.value.kind is ErrorKind.INVALID_CRON
    assert caught.value.context["zone"] == zone


def ticks_of(text, start, count, zone="Europe/Berlin"):
    schedule, moment, found = parse_schedule(text, zone), at(start), []
    for _ in range(count):
        moment = schedule.next_after(moment)
        found.append(moment.astimezone(UTC).strftime("%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "start", "ticks"),
    [
        # Central Europe leaves out 02:00 to 03:00 on 2026-03-29, at 01:00 in UTC.
        ("0 6 * * *", "2026-03-28T00:00", ["28 05:00", "29 04:00", "30 04:00"]),
        ("30 2 * * *", "2026-03-28T00:00", ["28 01:30", "29 01:00", "30 00:30"]),
        ("0,20,40 2 * * *", "2026-03-28T12:00", ["29 01:00", "30 00:00", "30 00:20"]),
        ("30 2,3 * * *", "2026-03-28T12:00", ["29 01:00", "29 01:30", "30 00:30"]),
        ("0 2,3 * * *", "2026-03-28T12:00", ["29 01:00", "30 00:00", "30 01:00"]),
        ("30 * * * *", "2026-03-28T23:00", ["28 23:30", "29 00:30", "29 01:30"]),
        ("0 * * * *", "2026-03-28T23:30", ["29 00:00", "29 01:00", "29 02:00"]),
        # It shows 02:00 to 03:00 twice on 2026-10-25, at 00:00 and 01:00 in UTC.
        ("0 6 * * *", "2026-10-24T00:00", ["24 04:00", "25 05:00", "26 05:00"]),
        ("30 2 * * *", "2026-10-24T12:00", ["25 00:30", "26 01:30", "27 01:30"]),
        ("30 2 * * *", "2026-10-25T01:10", ["26 01:30", "27 01:30"]),
        ("@hourly", "2026-10-24T23:30", ["25 00:00", "25 01:00", "25 02:00"]),
        ("*/30 * * * *", "2026-10-25T00:10", ["25 00:30", "25 01:00", "25 01:30", "25 02:00"]),
        ("@every 1h", "2026-10-25T00:10", ["25 01:10", "25 02:10"]),
    ],
)
def test_n3_daylight_saving_leaves_no_tick_out_and_brings_none_twice(text, start, ticks):
    assert ticks_of(text, start, len(ticks)) == ticks


def test_a_day_that_a_zone_left_out_ticks_once_as_it_ended():
    # Samoa had no 2011-12-30: it went from 10:00 in UTC on the 30th into the 31st.
    assert ticks_of("0 12 * * *", "2011-12-29T00:00", 3, "Pacific/Apia") == [
        "29 22:00",
        "30 10:00",
        "30 22:00",
    ]


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
FIELD = st.sampled_from(["*", "0", "*/7", "1,30"])
HOUR = st.sampled_from(["*", "*/5", "0", "1", "2", "3", "1-3", "0,23"])


@given(FIELD, HOUR, st.sampled_from(ZONES), st.integers(0, 300 * 24 * 60))
def test_ticks_come_in_order_and_each_shows_a_time_that_the_schedule_names(
    minute, hour, zone, start
):
    schedule = parse_schedule(f"{minute} {hour} * * *", zone)
    plain = parse_schedule(f"{minute} {hour} * * *")
    moment = at("2026-01-01") + timedelta(minutes=start)
    for _ in range(4):
        following = schedule.next_after(moment)
        assert following > moment
        wall = following.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        before = (following - timedelta(minutes=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        jumped = wall - before > timedelta(minutes=1)
        assert jumped or plain.next_after(wall - timedelta(seconds=1)) == wall
        moment = following


@pytest.mark.parametrize(
    ("text", "due", "now", "policy", "ticks", "following"),
    [
        ("@every 1h", "01T00:00", "01T03:30", CatchUp.ONE, ["01T03:00"], "01T04:00"),
        (
            "@every 1h",
            "01T00:00",
            "01T02:00",
            CatchUp.ALL,
            ["01T00:00", "01T01:00", "01T02:00"],
            "01T03:00",
        ),
        ("@every 1h", "01T00:00", "01T03:30", CatchUp.NONE, [], "01T04:00"),
        ("@every 1h", "01T00:00", "01T03:00:59", CatchUp.NONE, ["01T03:00"], "01T04:00"),
        ("0 6 * * *", "01T06:00", "03T07:00", CatchUp.ONE, ["03T06:00"], "04T06:00"),
        (
            "0 6 * * *",
            "01T06:00",
            "03T07:00",
            CatchUp.ALL,
            ["01T06:00", "02T06:00", "03T06:00"],
            "04T06:00",
        ),
        ("0 6 * * *", "01T06:00", "03T07:00", CatchUp.NONE, [], "04T06:00"),
        ("0 6 * * *", "01T06:00", "01T06:00", CatchUp.NONE, ["01T06:00"], "02T06:00"),
    ],
)
def test_missed_ticks_are_taken_up_by_policy(text, due, now, policy, ticks, following):
    def moment(one):
        return at(f"2026-06-{one}")

    assert take_up(parse_schedule(text), moment(due), moment(now), policy) == DueTicks(
        tuple(moment(one) for one in ticks), moment(following)
    )


@pytest.mark.parametrize("text", ["* * * * *", "@every 60s"])
def test_of_more_missed_ticks_than_are_caught_up_with_the_newest_stay(text):
    due, now = at("2016-01-01"), at("2026-01-01T00:00:30")
    taken = take_up(parse_schedule(text), due, now, CatchUp.ALL)
    assert len(taken.ticks) == MAX_CAUGHT_UP
    assert taken.ticks[-1] == at("2026-01-01")
    assert taken.ticks[0] == at("2026-01-01") - timedelta(minutes=MAX_CAUGHT_UP - 1)
    assert taken.following == at("2026-01-01T00:01")


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


WORDS = json.loads(
    (Path(__file__).parents[3] / "src" / "__tests__" / "schedules.json").read_text("utf-8")
)
"""Schedules with what the front end says of them, and when they tick."""


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row["schedule"])
def test_schedules_tick_as_the_front_end_says_in_words(row):
    ticks = parse_schedule(row["schedule"]).upcoming(at("2026-01-28T00:00"), len(row["ticks"]))
    assert [f"{tick:%a %Y-%m-%dT%H:%M}" for tick in ticks] == row["ticks"]


def test_coming_ticks_are_told_by_the_wall_clock_and_where_it_leaves_their_time_out():
    schedule = parse_schedule("30 2 * * *", "Europe/Berlin")
    ticks = coming_ticks(schedule, at("2026-03-28T00:00"), 3)
    assert [(tick.local, tick.is_moved) for tick in ticks] == [
        ("2026-03-28T02:30:00+01:00", False),
        ("2026-03-29T03:00:00+02:00", True),
        ("2026-03-30T02:30:00+02:00", False),
    ]
    assert ticks[1].at == at("2026-03-29T01:00")


def test_coming_ticks_of_an_interval_count_from_the_moment():
    ticks = coming_ticks(parse_schedule("@every 36h"), at("2026-01-31T12:00"), 2)
    assert [tick.at for tick in ticks] == [at("2026-02-02T00:00"), at("2026-02-03T12:00")]
    assert not any(tick.is_moved for tick in ticks)


@pytest.mark.parametrize("text", ["R * * * *", "0 r * * *", "R(0-29) 6 * * *", "0 0 R/2 * *"])
def test_a_schedule_that_draws_lots_is_refused(text):
    with pytest.raises(InvalidInputError, match="another time whenever one looks"):
        parse_schedule(text)
