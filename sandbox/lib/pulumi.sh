# shellcheck shell=sh
# The Pulumi CLI: which one fits, and three places to get it from.

# One folder a version; put there in one go when it is whole. Its file `source` says where it came from.
cli_dir=$cache/pulumi/$pulumi_version
# Tells which CLI lies in .sandbox/bin; not there when one on PATH is used.
cli_stamp=$state/cli

# 3.240 or later, below 4.
version_fits() {
  minor=$(printf '%s\n' "${1#v}" | sed -n 's/^3\.\([0-9]*\)\..*/\1/p')
  [ "${minor:-0}" -ge 240 ]
}

# Prints the version of the CLI on PATH if it fits.
cli_on_path() {
  has pulumi || return 1
  version=$(PULUMI_SKIP_UPDATE_CHECK=true within 20 pulumi version 2>/dev/null) || return 1
  version_fits "$version" && echo "${version#v}"
}

cli_cached() { [ -x "$cli_dir/bin/pulumi" ] && [ -r "$cli_dir/source" ]; }

# keep_cli FOLDER SOURCE: takes FOLDER (with bin/pulumi) into the cache.
keep_cli() {
  [ "$("$1/bin/pulumi" version)" = "v$pulumi_version" ] || return 1
  printf '%s\n' "$2" >"$1/source"
  rm -rf "$cli_dir"
  mkdir -p "${cli_dir%/*}"
  mv "$1" "$cli_dir"
}

# The npm package `pulumi` downloads the CLI with its language hosts. At most 3 minutes; needs the internet.
cli_from_npm() {
  pulumi_downloads_reached || return 1
  home=$cache/tmp/pulumi-npm
  mkdir -p "$home"
  say "downloading Pulumi $pulumi_version with the npm package pulumi"
  if (cd "$home" && PULUMI_HOME=$home within 180 npx --yes "pulumi@$pulumi_version" version) \
    >"$home/log" 2>&1 </dev/null && keep_cli "$home/versions/$pulumi_version" "downloaded"; then
    return 0
  fi
  say "the download failed: $(tail -n 1 "$home/log" | cut -c1-120)"
  mark_unreached pulumi
  return 1
}

# The CLI is also a Go module; cli/go.sum pins every module that goes into it. It brings no language host.
cli_from_go() {
  has go || fail "Pulumi's downloads are not reached, and building the CLI needs Go: install Go, or put pulumi on PATH"
  home=$cache/tmp/pulumi-go
  mkdir -p "$home/bin"
  say "building Pulumi $pulumi_version from its Go module: about 5 minutes on 2 cores, once"
  version_flag="-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$pulumi_version"
  (cd "$here/cli" && within 2400 go build -trimpath -ldflags "-s -w $version_flag" -o "$home/bin/pulumi" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi) \
    >"$home/log" 2>&1 </dev/null || {
    tail -n 15 "$home/log" >&2
    fail 'the build of the Pulumi CLI failed'
  }
  rm -f "$home/log"
  keep_cli "$home" 'built from the Go module' || fail 'the Pulumi CLI that was built does not run'
}
