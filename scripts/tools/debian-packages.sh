#!/usr/bin/env bash
# Installs from Debian what the slower suites and the bench drive, when it is missing: registry clients, PostgreSQL,
# a proxy, shells, tools for file systems on loop devices, a load generator and a peer. No daemon is started. runc is named
# because podman would otherwise choose crun, which refuses hosts with both cgroup versions mounted.
set -euo pipefail
missing=()
need() { # command or path, package
  command -v "$1" >/dev/null || [ -x "$1" ] || missing+=("$2")
}
need skopeo skopeo
need podman podman
need runc runc
need /usr/sbin/dockerd docker.io
need /usr/bin/docker docker.io
need /usr/bin/ctr containerd
need /usr/sbin/nginx nginx-light
need /usr/lib/postgresql/15/bin/postgres postgresql-15
need mkfs.ext4 e2fsprogs
need losetup mount
need setpriv util-linux
need /usr/bin/ch-image charliecloud-builders
need /usr/bin/ruby ruby
need /usr/share/doc/ruby-rest-client ruby-rest-client
need wrk wrk
need perf linux-perf
need docker-registry docker-registry
need chromium-headless-shell chromium-headless-shell
need zsh zsh
need fish fish
need groff groff-base
if [ ${#missing[@]} -eq 0 ]; then
  echo 'debian-packages: everything is installed'
  exit 0
fi
echo "debian-packages: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
