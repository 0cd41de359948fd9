"""A mutant's change as text, and the choice of a sample."""

from mutation.mutants import sample
from mutation.scan import mutants_of

SOURCE = b"def f(a, b):\n    c = a + 1\n    return c < b\n"


def test_the_diff_shows_only_the_lines_that_change() -> None:
    compared = next(each for each in mutants_of("core/x.py", SOURCE) if each.kind == "compare")

    assert compared.diff(SOURCE).splitlines() == ["    -    return c < b", "    +    return (c >= b)"]


def test_a_room_is_a_folder_of_the_package_or_a_file_outside_of_any() -> None:
    rooms = [next(mutants_of(path, SOURCE)).room for path in ("core/jobs/deep/x.py", "core/x.py")]

    assert rooms == ["core/jobs", "core/x.py"]


def test_a_seed_chooses_the_same_mutants_again_and_another_seed_others() -> None:
    mutants = [each for number in range(20) for each in mutants_of(f"core/x{number}.py", SOURCE)]

    assert sample(mutants, 7, 10) == sample(reversed(mutants), 7, 10)
    assert sample(mutants, 7, 10) != sample(mutants, 8, 10)
    assert len(sample(mutants, 7, 10)) == 10


def test_a_changed_file_leaves_the_choice_in_the_other_files() -> None:
    before = [each for number in range(20) for each in mutants_of(f"core/x{number}.py", SOURCE)]
    after = [each for each in before if each.path != "core/x3.py"] + list(mutants_of("core/x3.py", b"\n" + SOURCE))
    others = {each.name for each in sample(before, 7, 50) if each.path != "core/x3.py"}

    assert len(others - {each.name for each in sample(after, 7, 50)}) <= 5


def test_more_than_there_are_is_all_of_them() -> None:
    mutants = list(mutants_of("core/x.py", SOURCE))

    assert set(sample(mutants, 7, 1000)) == set(mutants)
