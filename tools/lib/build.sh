# SPDX-License-Identifier: Apache-2.0
# Configures and builds a preset of CMakePresets.json; needs $root, the top of the tree.
#   build_preset PRESET [TARGET...]   silent when up to date; else progress on standard error.
# Returns 1 after a failure, with the last lines of the log, which stays at build/PRESET.log.

build_say() { echo "connleak: $*" >&2; }

# Shows how far ninja is: one line redrawn on a terminal, else a line at every tenth part.
build_progress() {
  local tty=no
  [ -t 2 ] && tty=yes
  awk -v "tty=$tty" -v "log_file=$1" -v "what=$2" '
    { print >> log_file; fflush(log_file) }
    match($0, /^\[[0-9]+\/[0-9]+\]/) {
      split(substr($0, 2, RLENGTH - 2), n, "/")
      if (n[2] < 2) next
      if (tty == "yes") {
        printf "\r\033[Kconnleak: building %s %d/%d", what, n[1], n[2] > "/dev/stderr"
        drawn = 1
      } else if (int(n[1] * 10 / n[2]) > tenth) {
        tenth = int(n[1] * 10 / n[2])
        printf "connleak: building %s %d/%d\n", what, n[1], n[2] > "/dev/stderr"
      }
    }
    END { if (drawn) printf "\r\033[K" > "/dev/stderr" }'
}

build_failed() (
  set -o pipefail
  build_say "$1 failed; from $2:"
  if ! grep -A 12 -E '(FAILED:|error:|CMake Error)' "$2" | head -n 40 >&2; then tail -n 20 "$2" >&2; fi
  return 1
)

# ccache where it is there; the launcher of a configured tree stays as it is.
build_launcher() {
  command -v ccache >/dev/null && echo "-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
  return 0
}

build_locked() (
  local preset=$1 dir=$root/build/$1 log=$root/build/$1.log
  shift
  PATH=$PATH:/usr/sbin:/sbin # bpftool of Debian lives there
  local dry
  # A dry run may have to look at globbed folders first, so "no work" is looked for on any line.
  if [ -f "$dir/build.ninja" ] && dry=$(ninja -C "$dir" -n "$@" 2>/dev/null) &&
    [[ $dry == *"no work to do"* ]]; then
    return 0
  fi
  : >"$log"
  if [ ! -f "$dir/build.ninja" ]; then
    build_say "configuring $preset"
    # shellcheck disable=SC2046
    if ! cmake -S "$root" --preset "$preset" $(build_launcher) >>"$log" 2>&1; then
      build_failed "configuring $preset" "$log"
      return 1
    fi
  fi
  local began=$SECONDS
  set -o pipefail
  if ! NINJA_STATUS='[%f/%t] ' ninja -C "$dir" "$@" 2>&1 | build_progress "$log" "$preset"; then
    build_failed "building $preset" "$log"
    return 1
  fi
  build_say "built $preset in $((SECONDS - began)) s"
  # Under sudo the tree belongs to someone who wants to build, and to clean, without it.
  if [ "$(id -u)" = 0 ] && [ "$(stat -c %u "$root")" != 0 ]; then
    chown -R --reference="$root" "$root/build" || true
  fi
)

build_preset() {
  local status=0 lock
  mkdir -p "$root/build" || return 1
  # Two commands started at once must not build over each other. Where the file cannot be opened (a tree
  # of somebody else's, already built), there is nothing that this user could build either.
  if { exec {lock}>>"$root/build/.lock"; } 2>/dev/null; then
    flock "$lock"
    build_locked "$@" {lock}>&- || status=$?
    exec {lock}>&-
  else
    build_locked "$@" || status=$?
  fi
  return $status
}
