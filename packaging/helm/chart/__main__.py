"""Write the chart; a file that is not generated any more goes."""

from chart.build import CHART, files

written = {CHART / path: text for path, text in files().items()}
for path, text in written.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
for path in CHART.rglob("*"):
    if path.is_file() and path not in written:
        path.unlink()
