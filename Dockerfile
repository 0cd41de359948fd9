# The one image of operator and daemons: Python, this project, OpenTofu, and git, with which it fetches modules. `make image` builds it, with docker or buildah.
#
# Its three sources are arguments, and each takes a digest (NAME@sha256:...):
#   BASE    what it stands on, and where it is built: Python 3.11 or newer and CA certificates, on a slim Debian
#   GOLANG  compiles OpenTofu
#   TOFU    brings /usr/local/bin/tofu: the stage that compiles it, or any image that has it there
# A directory with usr/local/bin/tofu in it serves too: --build-context tofu=DIRECTORY. Neither then needs GOLANG.
# A pip.conf (own index, proxy, certificates) comes in as a secret, and stays out: --secret id=pip,src=FILE. So does an
# apt.conf: --secret id=apt,src=FILE. A base that has git needs no apt.
ARG BASE=python:3.13-slim
ARG GOLANG=golang:1.26
ARG TOFU=tofu-from-source


# The same module, flags and environment as provisioner_devcluster/building.py; a unit test compares them.
# Go compiles for any platform on the builder's own, many times faster than an emulated compiler.
FROM --platform=$BUILDPLATFORM ${GOLANG} AS tofu-from-source
WORKDIR /opentofu
COPY devcluster/provisioner_devcluster/modules/opentofu/ ./
ARG TARGETOS
ARG TARGETARCH
ARG GOPROXY
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOWORK=off
RUN GOOS="${TARGETOS}" GOARCH="${TARGETARCH}" go build -mod=readonly -trimpath \
        -ldflags "-s -w -X github.com/opentofu/opentofu/version.dev=no" \
        -o /usr/local/bin/tofu github.com/opentofu/opentofu/cmd/tofu


FROM ${TOFU} AS tofu


FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Two environments: one with what the build needs, which stays here, and one with what the image gets.
RUN python3 -m venv /build && python3 -m venv --without-pip /opt/provisioner
WORKDIR /src
COPY requirements/image.txt requirements/runtime.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /build/bin/python -m pip install --require-hashes -r requirements/image.txt \
 && /build/bin/python -m pip --python /opt/provisioner/bin/python install --no-compile --require-hashes -r requirements/runtime.txt

COPY --from=tofu /usr/local/bin/tofu /usr/local/bin/tofu
# blint finds the modules in it, but not its own version, which scanners want first.
RUN /build/bin/blint sbom --quiet --sbom-spec-version 1.6 --src /usr/local/bin/tofu --output-file /usr/share/sbom/tofu.cdx.json \
 && /build/bin/python -c 'import json, pathlib, sys; \
        file, version = pathlib.Path(sys.argv[1]), "v" + json.loads(sys.argv[2])["terraform_version"]; \
        bill = json.loads(file.read_text().replace("pkg:generic/tofu", "pkg:golang/github.com/opentofu/opentofu@" + version)); \
        bill["metadata"]["component"]["version"] = version; \
        file.write_text(json.dumps(bill, indent=1))' /usr/share/sbom/tofu.cdx.json "$(tofu version -json)"

# The embedded control plane is for those who develop the product: its package stays outside, and so its command goes.
# Bytecode is compiled here, as nobody may write there later; unchecked, as file times do not survive every builder.
COPY pyproject.toml README.md LICENSE ./
COPY operator/ operator/
RUN /build/bin/hatchling build --target wheel --directory /dist \
 && /build/bin/python -m pip --python /opt/provisioner/bin/python install --no-compile --no-deps /dist/*.whl \
 && rm /opt/provisioner/bin/provisioner-devcluster \
 && /build/bin/cyclonedx-py environment --output-reproducible --no-validate --spec-version 1.6 --pyproject pyproject.toml \
        --output-file /usr/share/sbom/python.cdx.json /opt/provisioner/bin/python \
 && /opt/provisioner/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/provisioner/lib


# docker build --target sbom --output DIRECTORY . copies the bills of materials out.
FROM scratch AS sbom
COPY --from=build /usr/share/sbom/ /


FROM ${BASE}
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90build \
    command -v git >/dev/null \
 || { apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/* /var/cache/apt/*; }
# A base may bring pip and what installs it; here nothing is installed any more. Only /tmp is for everybody to write.
# The user gets a name, which a state lock then tells to whoever finds it.
RUN test -s /etc/ssl/certs/ca-certificates.crt \
 || { echo "BASE has no CA certificates: OpenTofu could not verify any registry or cloud. Choose a base with ca-certificates." >&2; exit 1; } \
 && find /usr -depth \( -name ensurepip -o -path '*/bin/pip*' -o -path '*-packages/pip' -o -path '*-packages/pip-*' \
        -o -path '*-packages/setuptools*' -o -path '*-packages/pkg_resources' -o -path '*-packages/wheel*' -o -path '*/python-wheels' \) \
        -exec rm -rf {} + \
 && find / -xdev -type d -perm -o+w ! -path /tmp -exec chmod o-w {} + \
 && echo 'provisioner:x:65532:65532:Provisioner Operator:/tmp:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'provisioner:x:65532:' >> /etc/group
COPY --from=tofu /usr/local/bin/tofu /usr/local/bin/tofu
COPY --from=build /usr/share/sbom/ /usr/share/sbom/
COPY --from=build /opt/provisioner/ /opt/provisioner/
ENV PATH=/opt/provisioner/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
# Empty, so that a Pod's `args: [provisioner-daemon, run]` makes it a daemon.
ENTRYPOINT []
CMD ["provisioner-operator", "run"]
ARG BASE
# Version and revision are labels that `make image` gives: buildah's cache does not see that an argument has changed.
LABEL org.opencontainers.image.title="Provisioner Operator" \
      org.opencontainers.image.description="Provisioner jobs native to Kubernetes: the operator and its daemons, with OpenTofu" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
