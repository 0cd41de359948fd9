"""Write what is generated in `gitops/`: the patch of argocd-cm, and the tests of the customizations."""

from support.gitops.argocd_config import ARGOCD_CONFIG, argocd_config
from support.gitops.testdata import files_of_tests

for path, text in {ARGOCD_CONFIG: argocd_config(), **files_of_tests()}.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
