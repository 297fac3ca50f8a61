#!/usr/bin/env bash
# Installs from Debian what the client tests and the bench drive, when it is missing. runc is named because
# podman would otherwise choose crun, which refuses hosts with both cgroup versions mounted.
set -euo pipefail
missing=()
for pair in skopeo:skopeo podman:podman runc:runc umoci:umoci wrk:wrk docker-registry:docker-registry; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo 'debian-clients: everything is installed'
  exit 0
fi
echo "debian-clients: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
