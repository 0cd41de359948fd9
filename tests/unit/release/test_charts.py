"""Charts are packaged as they are, if they have the version of the release."""

import io
import tarfile
from pathlib import Path

import pytest

from release.charts import write_charts
from release.errors import ReleaseError
from release.source import Source


def _source(root: Path, version: str) -> Source:
    chart = root / "charts" / "thing"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{name: thing, version: 1.2.3, appVersion: 1.2.3}", encoding="utf-8")
    (chart / "templates" / "a.yaml").write_text("kind: A", encoding="utf-8")
    return Source(root, version, epoch=1)


def test_a_package_has_the_charts_folder(tmp_path: Path) -> None:
    write_charts(_source(tmp_path, "1.2.3"), tmp_path)

    with tarfile.open(fileobj=io.BytesIO((tmp_path / "thing-1.2.3.tgz").read_bytes())) as package:
        assert package.getnames() == ["thing/Chart.yaml", "thing/templates/a.yaml"]


def test_a_chart_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"1\.2\.3"):
        write_charts(_source(tmp_path, "1.2.4"), tmp_path)


def test_a_checkout_without_charts_has_no_package(tmp_path: Path) -> None:
    write_charts(Source(tmp_path, "1.2.3", epoch=1), tmp_path)

    assert list(tmp_path.iterdir()) == []
