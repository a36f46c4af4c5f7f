"""What a datum may take of the machine, and what it leaves running."""

import sys

import psutil
import pytest

LIMITS = [
    (
        {"memory": "200MiB"},
        "data = [bytearray(b'x' * (1 << 24)) for _ in range(60)]; import time; time.sleep(60)",
        "of memory; its limit is 200.0 MiB",
    ),
    ({"cpu_time": "500ms"}, "while True: pass", "of processor time; its limit is 0.5 s"),
    (
        {"output": "1MiB"},
        "import time; open('pfs/out/x', 'wb').write(b'x' * (2 << 20)); time.sleep(60)",
        "wrote 2.0 MiB; its limit is 1.0 MiB",
    ),
    (
        {"output": "1MiB"},
        "open('pfs/out/x', 'wb').truncate(1 << 40)",
        "wrote 1,048,576.0 MiB; its limit is 1.0 MiB",
    ),
]


@pytest.fixture
def put(runner):
    runner.lake.files.put("raw@main/a", "one")


@pytest.mark.usefixtures("put")
@pytest.mark.parametrize(("resources", "code", "message"), LIMITS)
def test_n11_a_command_that_takes_too_much_is_ended_and_the_limit_named(
    runner, resources, code, message
):
    spec = {"pipeline": "p", "command": [sys.executable, "-c", code], "resources": resources}
    runner.publish(spec, [("raw", "/*")])
    runner.run()
    job = runner.job("p")
    assert str(job.state) == "failed"
    assert message in job.message
    assert runner.files("p@main") == {}


@pytest.mark.usefixtures("put")
@pytest.mark.parametrize("fork", [True, False], ids=["forked", "started"])
def test_n6_a_notebook_that_takes_too_much_memory_is_ended_and_kept(runner, fork):
    cells = [
        "raw = out = ''",
        "print('before')",
        "data = [bytearray(b'x' * (1 << 24)) for _ in range(60)]\nimport time\ntime.sleep(60)",
    ]
    runner.notebook(
        "p",
        cells,
        ("raw", "/*"),
        resources={"memory": "400MiB"},
        environment={"fork": fork},
    )
    runner.run()
    job = runner.job("p")
    assert "of memory; its limit is 400.0 MiB" in job.message
    assert b"before" in runner.lake.jobs.get_notebook(job.id)


@pytest.mark.usefixtures("put")
def test_a_datum_within_its_limits_is_left_alone(runner):
    generous = {"memory": "4GiB", "cpu_time": "1h", "output": "1GiB"}
    runner.command("p", "cp pfs/raw/* pfs/out/", ("raw", "/*"), resources=generous)
    runner.run()
    assert runner.files("p@main") == {"a": "one"}
    assert runner.lake.pipelines.get("p").spec.limits.memory_bytes == 4 << 30


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
@pytest.mark.usefixtures("put")
def test_n7_what_a_command_leaves_in_the_background_is_ended_with_it(runner):
    place = runner.folder / "pid"
    script = f"""
    cp pfs/raw/* pfs/out/
    setsid sh -c 'echo $$ > {place}; exec sleep 1000' < /dev/null > /dev/null 2>&1 &
    while ! test -s {place}; do sleep 0.01; done
    """
    runner.command("p", script, ("raw", "/*"))
    runner.run()
    assert str(runner.job("p").state) == "success"
    assert not psutil.pid_exists(int(place.read_text()))
