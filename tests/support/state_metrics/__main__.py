"""Write the metrics that the fixtures should have; whoever changes them reads the difference."""

from support.state_metrics.fixtures import golden_files

for path, text in golden_files().items():
    path.write_text(text, encoding="utf-8")
