#!/usr/bin/env bash
# Builds programs that exist only in Go into .tools/ (git-ignored): the OCI conformance suite, with `--peer` the Distribution
# registry for the comparison of the bench, and with `--clients` the registry clients crane, regctl and helm. The go.mod and
# go.sum in the folders beside this file and in test/conformance lock versions and checksums. Does nothing when the locked build
# exists.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v go >/dev/null || { echo 'go-tools: Go 1.24 or newer is needed (the go command is not on PATH)' >&2; exit 1; }
mkdir -p .tools/bin

# build <module folder> <package> <program>: its stamp is the checksum of the lock file
build() {
  local lock program=$3 stamp
  stamp=".tools/$(basename "$program").lock"
  lock=$(cat "$1/go.mod" "$1/go.sum" | sha256sum)
  if [ -x "$program" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ]; then
    echo "go-tools: $program is up to date"
    return
  fi
  echo "go-tools: building $program"
  go build -C "$1" -mod=readonly -o "$PWD/$program" "$2"
  echo "$lock" >"$stamp"
}

build test/conformance github.com/opencontainers/distribution-spec/conformance .tools/conformance
for part; do
  case $part in
    --peer) build scripts/tools/peer github.com/distribution/distribution/v3/cmd/registry .tools/bin/registry ;;
    --clients)
      build scripts/tools/clients github.com/google/go-containerregistry/cmd/crane .tools/bin/crane
      build scripts/tools/clients github.com/regclient/regclient/cmd/regctl .tools/bin/regctl
      build scripts/tools/clients helm.sh/helm/v3/cmd/helm .tools/bin/helm
      ;;
    *) echo "go-tools: $part is neither --peer nor --clients" >&2; exit 2 ;;
  esac
done
