# shellcheck shell=sh
# The versions that the sandbox installs. Plugins: the same as in package.json.

pulumi_version=3.250.0 # also pinned, with checksums, in cli/go.mod
plugin_versions='docker=5.2.0 command=1.2.1 random=4.21.2'

base_images='debian:bookworm-slim debian:trixie-slim node:22-bookworm-slim postgres:15-bookworm postgres:17-trixie
postgres:18-trixie nginx:1.30-trixie nginx:1.22-bookworm redis:7-bookworm python:3.11-slim-bookworm'
