#!/usr/bin/env bash
# Installs Schemathesis, which tests the management API against its OpenAPI document, into .tools/schemathesis (git-ignored), in a
# separate Python environment. Does nothing when this version is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=4.32.5
target=$PWD/.tools/schemathesis
if [ "$(cat "$target/installed" 2>/dev/null)" = "$version" ]; then
  echo "schemathesis: $version is installed"
  exit 0
fi
rm -rf "$target"
python3 -m venv "$target"
"$target/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
"$target/bin/schemathesis" --version
echo "$version" >"$target/installed"
