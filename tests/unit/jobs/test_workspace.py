"""The log of a datum."""

from jupyter_datalake.jobs.workspace import CappedLog


def test_a_flood_is_cut_with_a_notice_and_nothing_raises(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path, limit=1 << 20) as log:
        for _ in range(100):
            log.write("x" * 100_000)
        log.line("late")
    text = path.read_text()
    assert len(text) < (1 << 20) + 200
    assert text.endswith("[the log ends here: it reached 1 MiB]\n")


def test_what_is_written_can_be_read_at_once(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path) as log:
        log.line("hello")
        assert path.read_text() == "[datalake] hello\n"


def test_text_that_is_no_utf_8_is_escaped(tmp_path):
    path = tmp_path / "log.txt"
    with CappedLog(path) as log:
        log.write("a\udcffb")
    assert path.read_text() == "a\\udcffb"
