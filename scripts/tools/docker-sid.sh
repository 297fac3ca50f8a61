#!/usr/bin/env bash
# The Docker engine, its command line and containerd of Debian's unstable suite in .tools/docker-sid: a current Docker
# for the client tests, beside the one of the stable release.
set -euo pipefail
exec bash "$(dirname "$0")/unpack-debian.sh" sid docker-sid 'docker.io docker-cli docker-buildx containerd' \
  'dockerd --version' 'docker --version' 'containerd --version'
