#!/usr/bin/env bash
# Installs the registry clients of Python's package index (oras-py, python-dxf, udocker) into .tools/python-clients (git-ignored),
# in a separate Python environment. scripts/tools/clients/python.txt lists every version, including dependencies. Does nothing
# when these versions are installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
versions=scripts/tools/clients/python.txt
target=$PWD/.tools/python-clients
if cmp --silent "$versions" "$target/installed"; then
  echo 'python-clients: up to date'
  exit 0
fi
rm -rf "$target"
python3 -m venv "$target"
"$target/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$versions"
"$target/bin/pip" check --disable-pip-version-check
"$target/bin/python" -c 'import dxf, oras.client, udocker'
cp "$versions" "$target/installed"
