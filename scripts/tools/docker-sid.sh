#!/usr/bin/env bash
# Unpacks (does not install) the Docker engine, its command line and containerd of Debian's unstable suite into
# .tools/docker-sid, so that the client tests meet a current Docker beside the one of the stable release. apt keeps
# its state in .tools; the system's own lists and packages stay as they are. Unstable may be out of reach or not run
# here: that is written to .tools/docker-sid/unavailable, which the tests report by name, and is no failure.
set -uo pipefail
cd "$(dirname "$0")/../.."
target=$PWD/.tools/docker-sid
work=$PWD/.tools/docker-sid.apt
deadline_seconds=35

if [ -x "$target/usr/sbin/dockerd" ] && [ ! -e "$target/unavailable" ]; then
  echo "docker-sid: $("$target/usr/bin/docker" --version) is there"
  exit 0
fi

unpack() (
  set -e
  # The first source that apt knows serves unstable too: no host is named here.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$target"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Check-Valid-Until "false";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$work/apt.conf
  timeout "$deadline_seconds" apt-get update -qq
  cd "$work/debs"
  timeout "$deadline_seconds" apt-get download -qq docker.io docker-cli containerd
  for package in ./*.deb; do dpkg-deb -x "$package" "$target"; done
  PATH="$target/usr/sbin:$target/usr/bin:$PATH" dockerd --version
  PATH="$target/usr/sbin:$target/usr/bin:$PATH" containerd --version
)

rm -rf "$target" "$work"
mkdir -p "$target"
if said=$(unpack 2>&1); then
  echo "docker-sid: $said"
else
  echo "${said:-apt-get took too long}" >"$target/unavailable"
  echo "docker-sid: unavailable: $(tail -n 3 "$target/unavailable")"
fi
rm -rf "$work"
