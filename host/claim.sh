# shellcheck shell=sh
# What `pulumi up` does before anything else is made on the host: claims it for this state, once. Refuses one that is
# another's. Leaves a copy of these scripts, so that the host can be cleared by hand when the state is lost:
# sh <state>/script teardown

claim() {
  state_dir && own_host || return 1
  replace_file "$state/script" <"$0" || return 1
  say "machine $(machine_id)"
}
