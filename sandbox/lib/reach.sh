# shellcheck shell=sh
# Which sources on the internet answer. Remembered within one set-up, so that nobody waits for one twice.

unreached() { [ -e "$state/unreached/$1" ]; }
mark_unreached() {
  mkdir -p "$state/unreached"
  : >"$state/unreached/$1"
}
forget_unreached() { rm -rf "$state/unreached"; }

# Pulumi's downloads (the CLI and the plugins): do they answer, with whatever status, within 8 seconds?
pulumi_downloads_reached() {
  unreached pulumi && return 1
  has curl || return 0
  curl -s -o /dev/null --connect-timeout 4 --max-time 8 https://get.pulumi.com/ && return 0
  say "Pulumi's downloads are not reached"
  mark_unreached pulumi
  return 1
}
