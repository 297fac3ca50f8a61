#!/usr/bin/env bash
# Unpacks (does not install) packages of a Debian suite other than the host's into .tools/<folder>. apt keeps its state
# in .tools: the system's own lists and packages do not change.
#
#   unpack-debian.sh <suite> <folder> '<package> ...' '<command that must work>' ...
#
# The unstable suite may be unavailable, or its programs may not run here: the reason is written to
# .tools/<folder>/unavailable, which the tests report by name, and is not a failure. With any other suite it is one.
# .tools/<folder>/versions lists the unpacked packages, one per line.
set -uo pipefail
cd "$(dirname "$0")/../.."
suite=$1 folder=$2 packages=$3
shift 3
target=$PWD/.tools/$folder
fresh=$target.fresh
work=$target.apt
deadline_seconds=35

wanted="$suite: $packages"
if [ "$(cat "$target/unpacked" 2>/dev/null)" = "$wanted" ]; then
  echo "$folder: $wanted: unpacked before"
  exit 0
fi

unpack() (
  set -e
# The first source in apt's configuration has the other suites, too, so no host is named here.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$work/apt.conf
  timeout "$deadline_seconds" apt-get update -qq
  cd "$work/debs"
  # shellcheck disable=SC2086 # a list of packages
  timeout "$deadline_seconds" apt-get download -qq $packages
  for package in ./*.deb; do
    dpkg-deb -x "$package" "$fresh"
    dpkg-deb --show --showformat '${Package} ${Version}\n' "$package"
  done
)

check() (
  PATH=$fresh/usr/sbin:$fresh/usr/bin:$PATH
  for command; do $command || { echo "$command failed"; exit 1; }; done
)

rm -rf "$fresh" "$work"
mkdir -p "$fresh"
# Outside a condition: inside one, `set -e` would have no effect.
said=$(unpack 2>&1)
unpacked=$?
rm -rf "$work"
if [ $unpacked -eq 0 ] && checked=$(check "$@" 2>&1); then
  echo "$said" >"$fresh/versions"
  echo "$wanted" >"$fresh/unpacked"
else
  echo "${checked:-${said:-apt-get took too long}}" >"$fresh/unavailable"
fi
# Replaced atomically: a program that runs from the folder finds its files.
rm -rf "$target"
mv "$fresh" "$target"
if [ -e "$target/unpacked" ]; then
  sed "s/^/$folder: /" "$target/versions"
  exit 0
fi
echo "$folder: unavailable: $(tail -n 3 "$target/unavailable")"
[ "$suite" = sid ]
