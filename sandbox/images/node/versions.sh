# shellcheck shell=sh
# What the stand-in for node:22-bookworm-slim holds, by the names of npm packages.
node_version=22.23.3
npm_version=11.21.2
