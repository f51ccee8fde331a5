# shellcheck shell=sh
# debian:RELEASE-slim from Debian's own packages.

# make_debian IMAGE RECIPE
make_debian() {
  if ! has debootstrap || [ "$(id -u)" != 0 ]; then
    fail "no registry answers, and only root on Debian can build $1"
  fi
  release=${1#debian:}
  release=${release%-slim}
  tree=$cache/tmp/debian-$release
  log=$cache/tmp/debootstrap.log
  mkdir -p "$cache/tmp"
  mirror=$(debian_mirror)
  debootstrap --variant=minbase --include=ca-certificates "$release" "$tree" ${mirror:+"$mirror"} \
    >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    fail 'debootstrap failed'
  }
  configure_debian "$tree"
  tar -C "$tree" --one-file-system -c . | docker import \
    --change 'CMD ["bash"]' \
    --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
    --change "LABEL $recipe_label=$2" \
    --change "LABEL org.opencontainers.image.description=\"Stands in for $1 where no image registry is reached\"" \
    - "$1" >/dev/null
  rm -rf --one-file-system "$tree"
}

# The lines of sources.list as this machine's apt has them, for $release: those of its own with the other's name. Nothing
# where the machine's are not Debian's.
debian_sources() {
  own=$(. /etc/os-release && printf %s "${VERSION_CODENAME-}")
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    grep -E " ${own:-none}(-updates|-security)? main\$" | sed "s/ $own/ $release/" | sort -u
}

# Empty where the machine's apt does not tell: debootstrap then takes Debian's own, and writes it down in the image.
debian_mirror() { debian_sources | sed -n "s/^deb \([^ ]*\) $release main/\1/p"; }

# Builds inside containers must reach packages just as this machine does: same mirror, apt settings, authorities.
configure_debian() {
  if [ -n "$(debian_mirror)" ]; then debian_sources >"$1/etc/apt/sources.list"; fi
  apt-config dump Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until Acquire::Check-Date \
    >"$1/etc/apt/apt.conf.d/90machine" 2>/dev/null || true
  cat >"$1/etc/apt/apt.conf.d/91slim" <<'END'
Acquire::Languages "none";
END
  cat >"$1/etc/dpkg/dpkg.cfg.d/slim" <<'END'
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
END
  cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/usr/share/doc/* \
    "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1/etc/resolv.conf" "$1/etc/hostname"
}
