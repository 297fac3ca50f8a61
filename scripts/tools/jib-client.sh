#!/usr/bin/env bash
# Installs Jib, which builds images without Docker, into .tools/jib (git-ignored): its library and dependencies, as listed in
# scripts/tools/clients/jib/pom.xml, and the small program there that drives the library. Does nothing when they are already
# built.
set -euo pipefail
cd "$(dirname "$0")/../.."
source=scripts/tools/clients/jib
target=$PWD/.tools/jib
for program in mvn javac; do
  command -v "$program" >/dev/null || { echo "jib-client: $program is not on PATH" >&2; exit 1; }
done
lock=$(cat "$source/pom.xml" "$source/JibClient.java" | sha256sum)
if [ "$(cat "$target/installed" 2>/dev/null)" = "$lock" ]; then
  echo 'jib-client: up to date'
  exit 0
fi
rm -rf "$target"
mkdir -p "$target/classes"
mvn --quiet --batch-mode --file "$source/pom.xml" dependency:copy-dependencies -DoutputDirectory="$target/lib"
javac -Xlint:all,-classfile -d "$target/classes" -classpath "$target/lib/*" "$source/JibClient.java"
echo "$lock" >"$target/installed"
