#!/usr/bin/env bash
# Builds the tests of crane and regctl into .tools/suites (git-ignored), from the modules that scripts/tools/clients/go.mod
# locks. Both suites bring a registry of their own, written in Go; in a copy of the sources its answers are replaced by
# those of Lading (see the files in scripts/tools/suites), and nothing else. test/clients/suites.test.ts runs them. Does
# nothing when the locked build is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=$root/.tools/suites
lock=$(cat scripts/tools/clients/go.mod scripts/tools/clients/go.sum scripts/tools/suites/* "$0" | sha256sum)
if [ "$(cat "$target/installed" 2>/dev/null)" = "$lock" ]; then
  echo 'client-suites: up to date'
  exit 0
fi
rm -rf "$target"
mkdir -p "$target/bin"

# copy_module <folder of the module that needs it> <module> <name>: into .tools/suites/<name>
copy_module() {
  (cd "$1" && go mod download "$2")
  cp -r "$(cd "$1" && go list -m -f '{{.Dir}}' "$2")" "$target/$3"
  chmod -R u+w "$target/$3"
}

# replace <file> <exact line> <line>: fails where the line is not there exactly once.
replace() {
  [ "$(grep --count --fixed-strings --line-regexp -- "$2" "$1")" = 1 ] || { echo "client-suites: $1 has changed" >&2; exit 1; }
  awk -v from="$2" -v to="$3" '$0 == from { print to; next } { print }' "$1" >"$1.new"
  mv "$1.new" "$1"
}

# stand_in <folder> <package>: puts the shared part there
stand_in() {
  sed "s/^package standin$/package $2/" scripts/tools/suites/lading.go >"$1/lading.go"
}

# build <suite> <package folder> <program>
build() {
  echo "client-suites: building $3"
  (cd "$target/$1" && go test -c -o "$target/bin/$3" "./$2")
}

clients=$root/scripts/tools/clients
copy_module "$clients" github.com/google/go-containerregistry go-containerregistry
registry=$target/go-containerregistry/pkg/registry
replace "$registry/registry.go" '	return http.HandlerFunc(r.root)' '	_, handler := newLading(); _ = r.root; return handler'
stand_in "$registry" registry

copy_module "$clients" github.com/regclient/regclient regclient
copy_module "$target/regclient" github.com/olareg/olareg olareg
replace "$target/olareg/olareg.go" 'func (s *Server) ServeHTTP(resp http.ResponseWriter, req *http.Request) {' \
  'func (s *Server) serveOlareg(resp http.ResponseWriter, req *http.Request) {'
stand_in "$target/olareg" olareg
cp scripts/tools/suites/olareg.go "$target/olareg/lading-olareg.go"
(cd "$target/regclient" && go mod edit -replace github.com/olareg/olareg=../olareg)

build go-containerregistry cmd/crane/cmd crane-cmd
build go-containerregistry internal/cmd crane-edit
build go-containerregistry pkg/crane crane
build go-containerregistry pkg/v1/remote crane-remote
build regclient cmd/regctl regctl
build regclient cmd/regsync regsync
build regclient . regclient
build regclient mod regclient-mod
echo "$lock" >"$target/installed"
