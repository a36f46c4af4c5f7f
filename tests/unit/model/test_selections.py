"""Which names lead to what a datum was given."""

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.selections import Selection, parse_selection


def selection(*paths):
    return Selection("raw", CommitId("c" * 64), paths)


def test_only_names_that_lead_to_a_path_are_shown_above_it():
    assert selection("d/e/b", "d/a", "f").names_above() == {
        "": ["d", "f"],
        "d": ["a", "e"],
        "d/e": ["b"],
    }


def test_the_whole_commit_has_nothing_above_it():
    assert selection("").names_above() == {}


def test_names_are_in_the_order_of_their_bytes():
    # U+FF5E has fewer bytes than U+1F600, and a larger first UTF-16 unit.
    assert selection("\U0001f600", "\uff5e", "\udcff").names_above() == {
        "": ["\uff5e", "\U0001f600", "\udcff"]
    }


def test_a_selection_is_itself_again_after_it_was_written_down():
    one = selection("d/e", "\udcff")
    assert parse_selection(one.as_dict()) == one
