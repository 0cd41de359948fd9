"""Archives depend on their contents alone."""

import io
import tarfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from release.archives import Entry, files_below, packed

NAMES = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=150)
ENTRIES = st.dictionaries(NAMES, st.builds(Entry, st.binary(max_size=50), is_program=st.booleans()), max_size=8)
TIMES = st.integers(0, 2**32 - 1)


@given(entries=ENTRIES, epoch=TIMES, data=st.data())
def test_the_order_of_the_files_changes_nothing(entries: dict[str, Entry], epoch: int, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(entries.items()))))

    assert packed(entries, epoch) == packed(shuffled, epoch)


@given(entries=ENTRIES, epoch=TIMES)
def test_an_archive_has_what_was_put_in(entries: dict[str, Entry], epoch: int) -> None:
    unpacked = {}
    with tarfile.open(fileobj=io.BytesIO(packed(entries, epoch))) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            unpacked[member.name] = Entry(file.read(), is_program=member.mode == 0o755)
            assert (member.mtime, member.uid, member.gid, member.uname) == (epoch, 0, 0, "")

    assert unpacked == entries


def test_files_are_taken_with_their_folders_and_without_caches(tmp_path: Path) -> None:
    for name in ("a", "b/c", "__pycache__/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "a").chmod(0o700)

    taken = files_below(tmp_path, prefix="p")

    assert taken == {"p/a": Entry(b"a", is_program=True), "p/b/c": Entry(b"b/c")}
