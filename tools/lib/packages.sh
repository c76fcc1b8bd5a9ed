# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, through apt, with the mirror that the machine's own sources name.
#   packages_install PURPOSE...   purposes of packages.txt; silent when nothing is missing.
# Returns 3 where it may not (no root) or cannot (no apt), after one sentence on standard error.

packages_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages_release() {
  # shellcheck disable=SC1091
  (. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-unknown}")
}

# "package minimum" of each requirement for these purposes on this release.
packages_wanted() {
  local release=$1 purpose package minimum releases
  shift
  while read -r purpose package minimum releases; do
    case $purpose in '#'* | '') continue ;; esac
    case " $* " in *" $purpose "*) ;; *) continue ;; esac
    case $releases in
      '*' | "$release") ;;
      "!$release") continue ;;
      '!'*) ;;
      *) continue ;;
    esac
    echo "$package $minimum"
  done <"$packages_lib/packages.txt" | sort -u
}

packages_has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

# The newest go of at least 1.21, or nothing.
packages_go() {
  local go minor
  for go in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go; do
    [ -x "$go" ] || continue
    minor=$(GOTOOLCHAIN=local "$go" version 2>/dev/null | sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 21 ] && echo "$go" && return
  done
  return 1
}

# What is missing, one package a line.
packages_missing() {
  local release=$1 package minimum installed
  shift
  declare -A version=()
  while read -r package installed; do version[$package]=$installed; done < <(
    # shellcheck disable=SC2046
    dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' \
      $(packages_wanted "$release" "$@" | cut -d' ' -f1) 2>/dev/null | sed -n 's/^installed //p'
  )
  while read -r package minimum; do
    installed=${version[$package]:-}
    if [ -z "$installed" ]; then
      echo "$package"
    elif [ "$minimum" != - ] && ! dpkg --compare-versions "$installed" ge "$minimum" 2>/dev/null; then
      echo "$package"
    fi
  done < <(packages_wanted "$release" "$@")
  case " $* " in
    *' demo '*)
      packages_has_postgres || echo postgresql
      if ! packages_go >/dev/null; then
        if [ "$release" = bookworm ]; then echo golang-1.23-go; else echo golang-go; fi
      fi
      ;;
  esac
  case " $* " in
    *' accuracy '*) # toolchains that a machine may have from elsewhere
      command -v node >/dev/null || echo nodejs
      command -v npm >/dev/null || echo npm
      command -v javac >/dev/null || echo default-jdk-headless
      command -v cargo >/dev/null || echo cargo
      ;;
  esac
}

packages_apt() {
  local log=$1
  shift
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
    --no-install-recommends "$@" >>"$log" 2>&1 </dev/null
}

packages_candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'; }

# Adds the backports suite next to the machine's own sources, unless they name it already.
packages_add_backports() {
  local release=$1 D=/etc/apt/sources.list.d/ L=/etc/apt/sources.list file stanza
  eval "$(apt-config shell D Dir::Etc::sourceparts/d L Dir::Etc::sourcelist/f)"
  if apt-get indextargets --format '$(RELEASE) $(CODENAME)' 2>/dev/null | grep -qw -- "$release-backports"; then
    return 0
  fi
  local sources=()
  for file in "$L" "$D"*.list "$D"*.sources; do [ -f "$file" ] && sources+=("$file"); done
  stanza=
  [ ${#sources[@]} -eq 0 ] || stanza=$(awk -v "release=$release" -f "$packages_lib/backports.awk" "${sources[@]}")
  if [ -z "$stanza" ]; then
    echo "connleak: no source of $release under ${D%/}; add $release-backports by hand and start again" >&2
    return 3
  fi
  file=${D}connleak-backports.sources
  printf '%s\n' "$stanza" >"$file"
  echo "connleak: added the suite $release-backports of the same mirror ($file)" >&2
}

# A package of the server comes without the cluster that Debian would start by default.
packages_install_postgres() {
  local log=$1 conf=/etc/postgresql-common/createcluster.conf status=0 kept=
  packages_apt "$log" install postgresql-common || return
  if [ -f "$conf" ] && ! grep -q '^ *create_main_cluster *= *false' "$conf"; then
    kept=$(mktemp)
    cp -p "$conf" "$kept"
    printf '\ncreate_main_cluster = false\n' >>"$conf"
  fi
  packages_apt "$log" install postgresql || status=$?
  if [ -n "$kept" ]; then
    cp -p "$kept" "$conf"
    rm -f "$kept"
  fi
  return $status
}

packages_failed() {
  echo "connleak: apt could not install $2; the last lines of $1:" >&2
  tail -n 15 "$1" >&2
  return 1
}

packages_install() {
  local release missing package log names=() plain=() minimum candidate postgres=no update=no
  release=$(packages_release)
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian: trust the build to say what it lacks, but name it all once, where nothing can be checked.
    command -v clang >/dev/null && command -v bpftool >/dev/null && command -v cmake >/dev/null && return 0
    echo "connleak: this system has no apt; install the equivalents of:" \
      "$(packages_wanted other "$@" | cut -d' ' -f1 | tr '\n' ' ')" >&2
    return 3
  fi
  missing=$(packages_missing "$release" "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  missing=$(echo $missing)
  if [ "$(id -u)" != 0 ]; then
    echo "connleak: packages are missing and only root can install them: apt-get install $missing" >&2
    return 3
  fi
  log=$(mktemp "${TMPDIR:-/tmp}/connleak-apt.XXXXXX")
  echo "connleak: installing $missing" >&2

  for package in $missing; do
    candidate=$(packages_candidate "$package")
    case $candidate in '' | '(none)') update=yes ;; esac
  done
  if [ $update = yes ]; then packages_apt "$log" update || true; fi

  # What the release itself does not have, or has too old, comes from its backports.
  local backports=no
  if [ "$release" = bookworm ]; then
    for package in $missing; do
      case $package in libbpf-dev | bpftool | catch2 | libelf-dev | libdw-dev | golang-1.23-go) backports=yes ;; esac
    done
  fi
  if [ $backports = yes ]; then
    packages_add_backports "$release" || return
    candidate=$(apt-cache madison golang-1.23-go 2>/dev/null | grep -c "$release-backports" || true)
    [ "$candidate" != 0 ] || packages_apt "$log" update || true
  fi
  for package in $missing; do
    if [ "$package" = postgresql ]; then
      postgres=yes
      continue
    fi
    case $release:$package in
      bookworm:libbpf-dev | bookworm:bpftool | bookworm:catch2 | bookworm:golang-1.23-go)
        names+=("$package/bookworm-backports") ;;
      # These pull their runtime along: apt takes a dependency from backports only where it is named.
      bookworm:libelf-dev) names+=(libelf-dev/bookworm-backports libelf1/bookworm-backports) ;;
      bookworm:libdw-dev)
        names+=(libdw-dev/bookworm-backports libdw1/bookworm-backports libelf-dev/bookworm-backports
          libelf1/bookworm-backports) ;;
      *) names+=("$package") ;;
    esac
  done
  if [ ${#names[@]} -gt 0 ]; then
    if ! packages_apt "$log" install "${names[@]}"; then
      # Stale lists name files that the mirror has replaced since.
      packages_apt "$log" update || true
      packages_apt "$log" install "${names[@]}" || packages_failed "$log" "${names[*]}" || return
    fi
  fi
  if [ $postgres = yes ]; then
    packages_install_postgres "$log" || packages_failed "$log" postgresql || return
  fi
  missing=$(packages_missing "$release" "$@")
  if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    echo "connleak: $(packages_release) has no new enough" $missing "(see tools/lib/packages.txt)" >&2
    return 3
  fi
  rm -f "$log"
}
