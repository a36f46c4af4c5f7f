"""Who is told when jobs end: a real web server and a real mail server receive it."""

import base64
import hashlib
import hmac
import json
import os
import stat
from datetime import timedelta

import psutil
import pytest

from jupyter_datalake.errors import InvalidInputError, NotFoundError, StateError
from jupyter_datalake.model.jobs import JobState
from jupyter_datalake.model.notifications import MAX_TRIES, NotificationState
from jupyter_datalake.pipelines import channels
from jupyter_datalake.pipelines.channels import NotSentError
from jupyter_datalake.pipelines.delivering import Sender
from jupyter_datalake.testing.clocks import EPOCH
from tests.receivers import WebReceiver, mail_receiver
from tests.unit.pipelines.inline import Bench

KEY = "a-key-of-the-tests"  # it is made up


@pytest.fixture
def bench(local_lake, tmp_path):
    return Bench(local_lake, tmp_path / "bench")


@pytest.fixture
def web():
    receiver = WebReceiver()
    yield receiver
    receiver.close()


def notifications(bench, **narrow):
    return list(reversed(bench.lake.notifications.list(**narrow)))


def events(bench):
    return [
        event.details for event in bench.lake.events.list() if event.kind == "notification.created"
    ]


# --- occasions -----------------------------------------------------------------------------------


def test_a_rule_tells_of_its_occasions_and_of_no_others(bench):
    bench.publish(notify=[{"on": ["failure"], "jupyter": True}])
    bench.commit(a="one")
    bench.run()
    assert notifications(bench) == []
    bench.commit(a="bad")
    bench.run()
    (one,) = notifications(bench)
    assert (one.state, one.channel, one.tries) == (NotificationState.SENT, "jupyter", 1)
    assert one.occasions == ("failure",)
    assert one.job_id == bench.job.id
    assert one.title == "p failed: a bad input"
    (event,) = events(bench)
    assert event["title"] == one.title
    assert event["severity"] == "error"
    assert (event["job"], event["pipeline"]) == (one.job_id, "p")
    assert event["global_id"] == bench.job.global_id
    assert bench.job.id[:12] in event["text"]


def occasions(bench, *wanted, **changes):
    """Publish with a rule for everything, and return what was told of the newest job."""
    every = ["success", "failure", "recovered", "unexpected", "timeout", "cancelled", "blocked"]
    bench.publish(notify=[{"on": every, "jupyter": True}], **changes)
    bench.run()
    told = bench.lake.notifications.list(job_id=bench.job.id)
    return [sorted(one.occasions) for one in told]


def test_a_job_that_succeeds_is_told_of_once(bench):
    bench.commit(a="one")
    assert occasions(bench) == [["success"]]
    assert events(bench)[-1]["severity"] == "success"


def test_a_job_that_went_on_without_datums_succeeded_and_recovered(bench):
    bench.commit(a="one", b="bad")
    skipping = {"tries": 1, "on_error": "skip"}
    assert occasions(bench, datums=skipping) == [["recovered", "success"]]
    assert events(bench)[-1]["severity"] == "warning"
    assert "1 recovered" in events(bench)[-1]["text"]


def test_an_output_that_is_not_as_expected_is_told_of_whether_it_fails_the_job_or_not(bench):
    bench.commit(a="one")
    missing = {"files": "/missing"}
    assert occasions(bench, expectations=[missing]) == [["failure", "unexpected"]]
    assert "not as expected" in events(bench)[-1]["title"]
    warning = [{**missing, "on_violation": "warn"}]
    assert occasions(bench, expectations=warning) == [["success", "unexpected"]]


def test_a_job_that_was_stopped_after_its_time_failed_too(bench):
    bench.commit(a="one")
    assert occasions(bench, timeout="1ms") == [["failure", "timeout"]]


def test_a_job_that_is_cancelled_is_told_apart_from_one_that_could_not_run(bench):
    rule = [{"on": ["cancelled", "blocked"], "jupyter": True}]
    below = {"pipeline": "q", "command": ["true"], "input": {"repo": {"name": "p", "glob": "/*"}}}
    bench.publish(notify=rule)
    bench.lake.pipelines.apply({**below, "notify": rule}, folder=bench.folder)
    bench.commit(a="bad")
    bench.run()
    (blocked,) = notifications(bench)
    assert (blocked.pipeline, blocked.occasions) == ("q", ("blocked",))
    bench.lake.pipelines.run("p")
    bench.lake.jobs.cancel(bench.job.id)
    bench.run()
    told = [(one.pipeline, one.occasions) for one in notifications(bench)]
    assert told[1:] == [("p", ("cancelled",)), ("q", ("blocked",))]


def test_what_is_cut_off_is_told_to_nobody(bench):
    bench.publish()
    below = {"pipeline": "q", "command": ["true"], "input": {"repo": {"name": "p", "glob": "/*"}}}
    rule = [{"on": ["success"], "jupyter": True}]
    bench.lake.pipelines.apply({**below, "notify": rule}, folder=bench.folder)
    bench.commit(a="one")
    bench.run()
    assert [one.pipeline for one in notifications(bench)] == ["q"]
    bench.lake.pipelines.run("p", reprocess=True)
    bench.run()
    assert str(bench.lake.jobs.list(pipeline="q", limit=1)[0].outcome) == "cut-off"
    assert len(notifications(bench)) == 1


def test_a_late_job_is_told_of_while_it_has_not_ended(bench, lake_clock):
    bench.publish(notify=[{"on": ["late"], "after": "1h", "jupyter": True}])
    bench.commit(a="one")
    bench.lake.pipelines.run("p")  # nobody runs it: there is no controller
    (armed,) = notifications(bench, states=[NotificationState.ARMED])
    assert armed.next_at - armed.created_at == timedelta(hours=1)
    assert notifications(bench) == []
    lake_clock.advance(3600)
    Sender(bench.lake.core, "c").tend()
    (late,) = notifications(bench)
    assert (late.id, late.state, late.occasions) == (armed.id, NotificationState.SENT, ("late",))
    assert late.title == "p has not ended in time"
    assert events(bench)[-1]["job"] == bench.job.id
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert len(notifications(bench)) == 1


def test_a_job_that_ends_in_time_is_not_late(bench, lake_clock):
    bench.publish(notify=[{"on": ["late"], "after": "1h", "jupyter": True}])
    bench.commit(a="one")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert notifications(bench, states=[*NotificationState]) == []
    lake_clock.advance(3601)
    bench.run()
    assert events(bench) == []


def test_ticks_that_nobody_was_there_for_are_told_of(bench, lake_clock):
    cron = {"cron": {"schedule": "@every 1h", "catch_up": "none"}}
    rule = [{"on": ["missed"], "jupyter": True}]
    spec = {"pipeline": "c", "input": cron, "command": ["true"], "notify": rule}
    bench.lake.pipelines.apply(spec, folder=bench.folder)
    bench.run()
    lake_clock.advance(3 * 3600 + 1800)
    bench.run()
    (one,) = notifications(bench)
    assert (one.pipeline, one.job_id, one.occasions) == ("c", None, ("missed",))
    due = (EPOCH + timedelta(hours=1)).isoformat().replace("+00:00", "Z")[:16]
    assert one.title.startswith(f"c missed its time: tick was due at {due}")
    assert "It is given up" in one.text


# --- rules ---------------------------------------------------------------------------------------


def test_the_rules_of_the_lake_are_for_pipelines_without_their_own(bench):
    lake = bench.lake
    rules = [{"on": ["success"], "jupyter": True}]
    assert lake.notifications.set_rules(rules) == rules
    assert lake.notifications.get_rules() == rules
    bench.publish()
    bench.commit(a="one")
    bench.run()
    assert [one.pipeline for one in notifications(bench)] == ["p"]
    bench.publish(notify=[])
    bench.run()
    bench.commit(a="two")
    bench.run()
    assert len(notifications(bench)) == 1
    with pytest.raises(InvalidInputError, match=r"notify\[0\] needs exactly one of webhook"):
        lake.notifications.set_rules([{"on": ["success"]}])
    assert lake.notifications.get_rules() == rules
    assert lake.notifications.set_rules([]) == []


def test_rules_are_kept_as_they_were_written(bench, tmp_path):
    rules = [
        {"on": ["failure", "late"], "after": "90m", "email": {"to": ["ops@example.org"]}},
        {"webhook": {"url": "https://example.org/x", "key_from": "DATALAKE_NOTIFY_KEY"}},
        {"on": ["success"], "webhook": {"url_from": "DATALAKE_NOTIFY_CHAT"}},
        {"on": ["missed"], "command": ["notify-send", "x y"]},
    ]
    spec = bench.publish(notify=rules).spec
    assert bench.lake.pipelines.get("p").spec == spec
    assert [one.after_s for one in spec.notify] == [5400.0, None, None, None]
    (tmp_path / "rules.yaml").write_text("notify:\n- on: [success]\n  jupyter: true\n")
    made = bench.lake.notifications.set_rules(tmp_path / "rules.yaml")
    assert made == [{"on": ["success"], "jupyter": True}]


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"jupyter": True, "command": ["x"]}, r"notify\[0\] needs exactly one of webhook, email"),
        ({"jupyter": False}, r"notify\[0\].jupyter has the value False; only true belongs there"),
        ({"on": ["late"], "jupyter": True}, r"notify\[0\] needs 'after' if, and only if"),
        ({"after": "1h", "jupyter": True}, r"notify\[0\] needs 'after' if, and only if"),
        ({"on": ["late"], "after": "0s", "jupyter": True}, r"notify\[0\].after '0s' is not a dur"),
        ({"on": ["sometimes"], "jupyter": True}, r"'sometimes'; known are success, failure"),
        ({"email": {"to": ["a@b\nBcc: x@y"]}}, "where an e-mail address belongs"),
        ({"webhook": {}}, r"notify\[0\].webhook needs exactly one of url and url_from"),
        ({"webhook": {"url": "ftp://x"}}, r"notify\[0\].webhook.url is no http or https URL"),
        ({"webhook": {"url": "https://u:secret@x"}}, "put a secret one in url_from"),
        ({"webhook": {"url": "http://x:99999/"}}, "is no http or https URL"),
        ({"webhook": {"url_from": "AWS_SECRET_ACCESS_KEY"}}, "the name of a variable belongs"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_place(bench, rule, place):
    with pytest.raises(InvalidInputError, match=place) as caught:
        bench.publish(notify=[rule])
    assert "u:secret" not in str(caught.value)


# --- webhooks ------------------------------------------------------------------------------------


def test_a_webhook_gets_the_facts_signed_with_a_key_that_is_nowhere_in_the_lake(
    bench, web, monkeypatch, tmp_path
):
    monkeypatch.setenv("DATALAKE_NOTIFY_KEY", KEY)
    hook = {"url": f"{web.url}/hook", "key_from": "DATALAKE_NOTIFY_KEY"}
    bench.publish(notify=[{"on": ["success"], "webhook": hook}])
    bench.commit(a="one")
    bench.run()
    ((path, headers, body),) = web.requests
    (one,) = notifications(bench)
    assert (one.state, one.tries, one.target) == (NotificationState.SENT, 1, web.url)
    assert path == "/hook"
    told = json.loads(body)
    assert (told["id"], told["occasions"], told["pipeline"]) == (one.id, ["success"], "p")
    assert (told["title"], told["lake"]) == ("p succeeded", bench.lake.url)
    assert told["job"]["id"] == bench.job.id
    assert told["job"]["output_commit_id"] == bench.job.output_commit_id
    assert told["job"]["datum_counts"] == {"success": 1}
    assert headers["webhook-id"] == one.id
    signed = f"{one.id}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(KEY.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    files = [file for file in (tmp_path / "lake").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_a_key_of_the_standard_webhooks_is_decoded():
    # The example of the specification.
    given = channels.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(NotSentError, match="is no base64"):
        channels.signature("whsec_?", "1", "1", b"")


@pytest.mark.logs("notification .* by webhook, try")
def test_what_is_not_taken_is_tried_again_later_with_the_same_id(bench, web, lake_clock):
    web.statuses = [500, 302]
    bench.publish(notify=[{"on": ["success"], "webhook": {"url": web.url}}])
    bench.commit(a="one")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    (one,) = notifications(bench)
    assert (one.state, one.tries) == (NotificationState.PENDING, 1)
    assert one.message == "the server answered with status 500"
    bench.run()
    assert len(web.requests) == 1  # it is not time yet
    lake_clock.advance(6)
    bench.run()
    (one,) = notifications(bench)
    assert (one.tries, one.message) == (2, "the server answered with status 302")
    lake_clock.advance(21)
    bench.run()
    (one,) = notifications(bench)
    assert (one.state, one.tries) == (NotificationState.SENT, 3)
    assert {told["id"] for told in web.told} == {one.id}
    assert [path for path, _, _ in web.requests] == ["/"] * 3
    assert one.finished_at is not None
    assert one.next_at is None


@pytest.mark.logs("notification .* by webhook, try")
def test_what_is_never_taken_is_given_up_visibly_and_can_be_retried(bench, web, lake_clock):
    web.statuses = [503] * MAX_TRIES
    bench.publish(notify=[{"on": ["success"], "webhook": {"url": web.url}}])
    bench.commit(a="one")
    for _ in range(MAX_TRIES + 2):
        bench.run()
        lake_clock.advance(3601)
    assert len(web.requests) == MAX_TRIES
    (one,) = notifications(bench, states=[NotificationState.FAILED])
    assert (one.tries, one.message) == (MAX_TRIES, "the server answered with status 503")
    again = bench.lake.notifications.retry(one.id[:8])
    assert (again.id, again.state, again.tries) == (one.id, NotificationState.PENDING, 0)
    with pytest.raises(StateError, match="is pending and is sent by itself"):
        bench.lake.notifications.retry(one.id)
    bench.run()
    assert bench.lake.notifications.get(one.id).state is NotificationState.SENT
    assert len(web.requests) == MAX_TRIES + 1
    with pytest.raises(NotFoundError, match="There is no notification"):
        bench.lake.notifications.get("f" * 32)


@pytest.mark.logs("notification .* by webhook, try")
def test_what_goes_wrong_repeats_no_secret(bench, web, monkeypatch, lake_clock):
    monkeypatch.setenv("DATALAKE_NOTIFY_CHAT", f"http://127.0.0.1:1/services/{KEY}")
    bench.publish(
        notify=[
            {"on": ["success"], "webhook": {"url_from": "DATALAKE_NOTIFY_CHAT"}},
            {"on": ["success"], "webhook": {"url_from": "DATALAKE_NOTIFY_NONE"}},
        ]
    )
    bench.commit(a="one")
    bench.run()
    first, second = notifications(bench)
    assert (first.target, first.message) == (
        "$DATALAKE_NOTIFY_CHAT",
        "the server was not reached: Connection refused",
    )
    assert second.message == "the controller has no environment variable DATALAKE_NOTIFY_NONE"
    monkeypatch.setenv("DATALAKE_NOTIFY_CHAT", KEY)
    lake_clock.advance(6)
    bench.run()
    first = bench.lake.notifications.get(first.id)
    assert first.message == "the variable DATALAKE_NOTIFY_CHAT holds no http or https URL"


def test_a_message_that_was_being_sent_when_its_controller_died_is_sent_by_the_next_one(bench, web):
    bench.publish(notify=[{"on": ["success"], "webhook": {"url": web.url}}])
    bench.commit(a="one")
    bench.run()
    died = Sender(bench.lake.core, "died", send_one=lambda *_: None)
    died._end = lambda *_: None  # it is killed before it can note that
    (one,) = notifications(bench)
    bench.lake.notifications.retry(one.id)
    assert died.tend() is True
    died.close()
    assert bench.lake.notifications.get(one.id).state is NotificationState.PENDING
    bench.run()
    found = bench.lake.notifications.get(one.id)
    assert (found.state, found.tries) == (NotificationState.SENT, 2)
    assert [told["id"] for told in web.told] == [one.id, one.id]


def test_a_late_answer_of_a_controller_that_leads_no_more_changes_nothing(bench, web):
    bench.publish(notify=[{"on": ["success"], "webhook": {"url": web.url}}])
    bench.commit(a="one")
    bench.run()
    (one,) = notifications(bench)
    bench.lake.notifications.retry(one.id)
    with bench.lake.core.metadata.write() as tx:
        (late,) = tx.notifications.claim([one.id], "slow", 10**9)
        assert tx.notifications.claim([one.id], "other", 10**9) == []
        assert tx.notifications.release("other") == 1
        (now,) = tx.notifications.claim([one.id], "other", 10**9)
        assert not tx.notifications.end(late.notification, NotificationState.FAILED, "too late")
        assert tx.notifications.end(now.notification, NotificationState.SENT)
    assert bench.lake.notifications.get(one.id).state is NotificationState.SENT


# --- letters -------------------------------------------------------------------------------------


def test_a_letter_arrives_by_starttls_and_a_login(bench, monkeypatch, tmp_path):
    with mail_receiver(tmp_path, password=KEY) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        monkeypatch.setenv("DATALAKE_SMTP_HOST", f"127.0.0.1:{box.port}")
        monkeypatch.setenv("DATALAKE_SMTP_USER", "ada@example.org")
        monkeypatch.setenv("DATALAKE_SMTP_PASSWORD", KEY)
        bench.publish(notify=[{"email": {"to": ["ops@example.org", "eve@example.org"]}}])
        bench.commit(a="bad")
        bench.run()
        (one,) = notifications(bench)
        assert (one.state, one.message) == (NotificationState.SENT, "")
        (letter,) = box.letters
        assert letter.mail_from == "ada@example.org"
        assert letter.rcpt_tos == ["ops@example.org", "eve@example.org"]
        text = letter.content.decode()
        assert "Subject: p failed: a bad input" in text
        assert f"Message-ID: <{one.id}@example.org>" in text
        assert f"job {bench.job.id[:12]} of p, version 1" in text


@pytest.mark.logs("notification .* by email, try")
def test_a_wrong_password_and_a_server_that_is_not_trusted_are_told_without_them(
    bench, monkeypatch, tmp_path, lake_clock
):
    with mail_receiver(tmp_path, password=KEY) as box:
        monkeypatch.setenv("DATALAKE_SMTP_HOST", f"127.0.0.1:{box.port}")
        monkeypatch.setenv("DATALAKE_SMTP_USER", "ada@example.org")
        monkeypatch.setenv("DATALAKE_SMTP_PASSWORD", "wrong-one")
        bench.publish(notify=[{"on": ["success"], "email": {"to": ["ops@example.org"]}}])
        bench.commit(a="one")
        bench.run()
        (one,) = notifications(bench)
        assert one.message.startswith("the mail server was not reached: its certificate is not")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        lake_clock.advance(6)
        bench.run()
        one = bench.lake.notifications.get(one.id)
        assert one.message == "the mail server refused the login (535)"
        assert box.letters == []


@pytest.mark.logs("notification .* by email, try")
def test_addresses_that_the_server_refuses_are_told_and_the_others_get_one_letter(
    bench, monkeypatch, tmp_path
):
    with mail_receiver(tmp_path) as box:
        monkeypatch.setenv("DATALAKE_SMTP_HOST", f"127.0.0.1:{box.port}")
        monkeypatch.setenv("DATALAKE_SMTP_FROM", "lake@example.org")
        monkeypatch.setenv("DATALAKE_SMTP_SECURITY", "none")
        bench.publish(
            notify=[
                {"on": ["success"], "email": {"to": ["ops@example.org", "nobody@example.org"]}},
                {"on": ["success"], "email": {"to": ["nobody@example.org"]}},
            ]
        )
        bench.commit(a="one")
        bench.run()
        partly, none = notifications(bench)
        assert (partly.state, partly.tries) == (NotificationState.FAILED, 1)
        assert partly.message == "the mail server refused nobody@example.org"
        assert none.state is NotificationState.PENDING
        assert none.message == "the mail server refused all addresses (550)"
        assert [letter.rcpt_tos for letter in box.letters] == [["ops@example.org"]]


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "the controller has no environment variable DATALAKE_SMTP_HOST"),
        ({"HOST": "h"}, "DATALAKE_SMTP_FROM holds no e-mail address"),
        ({"HOST": "h:x", "FROM": "a@b"}, "DATALAKE_SMTP_HOST names the port 'x', which is none"),
        ({"HOST": "h", "SECURITY": "some"}, "DATALAKE_SMTP_SECURITY is 'some', and not one of"),
        (
            {"HOST": "h", "USER": "a@b", "PASSWORD": KEY, "SECURITY": "none"},
            "the password of DATALAKE_SMTP_USER would be sent in clear",
        ),
    ],
)
def test_a_mail_server_that_cannot_be_is_told_by_its_variable(monkeypatch, variables, why):
    for name, value in variables.items():
        monkeypatch.setenv(f"DATALAKE_SMTP_{name}", value)
    with pytest.raises(NotSentError, match=why):
        channels._mail(("ops@example.org",), "1", {"title": "t", "text": "x", "lake": "l"})


# --- commands ------------------------------------------------------------------------------------


def program(folder, text):
    """Write a program in Python; return its path."""
    place = folder / "tell.py"
    place.write_text(f"#!/usr/bin/env python3\n{text}")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


def test_a_command_gets_the_facts_and_what_is_meant_for_it_and_no_other_secret(
    bench, tmp_path, monkeypatch
):
    monkeypatch.setenv("DATALAKE_NOTIFY_TOKEN", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    left = tmp_path / "left.json"
    text = (
        "import json, os, sys\n"
        "seen = {'told': json.load(sys.stdin), 'environment': dict(os.environ)}\n"
        f"open({str(left)!r}, 'w').write(json.dumps(seen))\n"
    )
    rule = {"on": ["failure"], "command": [program(tmp_path, text)]}
    bench.publish(notify=[rule])
    bench.commit(a="bad")
    bench.run()
    (one,) = notifications(bench)
    assert (one.state, one.message) == (NotificationState.SENT, "")
    seen = json.loads(left.read_text())
    assert (seen["told"]["id"], seen["told"]["job"]["state"]) == (one.id, "failed")
    told = {
        name: value for name, value in seen["environment"].items() if name.startswith("DATALAKE_")
    }
    assert told == {
        "DATALAKE_URL": bench.lake.url,
        "DATALAKE_NOTIFICATION_ID": one.id,
        "DATALAKE_NOTIFICATION_TITLE": "p failed: a bad input",
        "DATALAKE_NOTIFICATION_OCCASIONS": "failure",
        "DATALAKE_NOTIFICATION_PIPELINE": "p",
        "DATALAKE_NOTIFICATION_JOB": bench.job.id,
        "DATALAKE_NOTIFICATION_STATE": "failed",
        "DATALAKE_NOTIFY_TOKEN": KEY,
    }
    assert "AWS_SECRET_ACCESS_KEY" not in seen["environment"]


@pytest.mark.logs("notification .* by command, try")
def test_a_command_that_fails_or_is_missing_is_told(bench, tmp_path):
    commands = [["false"], [str(tmp_path / "missing")]]
    bench.publish(notify=[{"on": ["success"], "command": one} for one in commands])
    bench.commit(a="one")
    bench.run()
    failed, missing = notifications(bench)
    assert failed.message == "false ended with code 1"
    assert missing.message.endswith("missing cannot be run: No such file or directory")
    assert {one.state for one in (failed, missing)} == {NotificationState.PENDING}


@pytest.mark.logs("notification .* by command, try")
def test_a_command_that_does_not_end_is_ended_with_what_it_started(bench, monkeypatch):
    monkeypatch.setattr(channels, "COMMAND_S", 0.5)
    long = f"6{os.getpid()}"
    bench.publish(notify=[{"on": ["success"], "command": ["sh", "-c", f"sleep {long} & wait"]}])
    bench.commit(a="one")
    bench.run()
    (hung,) = notifications(bench)
    assert (hung.state, hung.tries) == (NotificationState.PENDING, 1)
    assert hung.message == "sh was ended after 0.5 s"
    running = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"])]
    assert ["sleep", long] not in running


# --- trying out ----------------------------------------------------------------------------------


def test_rules_are_tried_out_without_a_job(bench, web):
    bench.publish(notify=[{"webhook": {"url": web.url}}, {"jupyter": True}])
    made = bench.lake.notifications.test("p")
    assert [(one.channel, one.state) for one in made] == [
        ("webhook", NotificationState.PENDING),
        ("jupyter", NotificationState.SENT),
    ]
    bench.run()
    assert [told["title"] for told in web.told] == ["A test of the notifications of p"]
    assert bench.lake.notifications.get(made[0].id).state is NotificationState.SENT
    with pytest.raises(StateError, match="The lake has no rules of its own"):
        bench.lake.notifications.test()
    with pytest.raises(NotFoundError, match="no pipeline"):
        bench.lake.notifications.test("q")


@pytest.mark.logs("notification .* by webhook, try")
def test_no_job_waits_for_a_server_that_does_not_answer(bench, web):
    asked = []

    def answer_late():
        asked.append(bench.job.state)
        bench.commit(a="two")

    web.on_post = answer_late
    web.statuses = [500]
    bench.publish(notify=[{"on": ["success"], "webhook": {"url": web.url}}])
    bench.commit(a="one")
    bench.run()
    assert asked[0] is JobState.SUCCESS
    assert bench.output() == {"a": "TWO"}


def test_what_ended_long_ago_is_forgotten(bench, lake_clock):
    bench.publish(notify=[{"on": ["success"], "jupyter": True}])
    bench.commit(a="one")
    bench.run()
    assert len(notifications(bench)) == 1
    lake_clock.advance(31 * 86_400)
    bench.publish(notify=[{"on": ["success"], "command": ["true"]}])
    bench.run()
    assert [one.channel for one in notifications(bench)] == ["command"]
