# SPDX-License-Identifier: Apache-2.0
# Prints a deb822 stanza for the backports suite beside the first source that names the release.
# Input: apt source files, .sources (deb822) and .list (one line each). Variables: release=bookworm.
# The mirror, its key and its trust are those that the machine's own source names.

function stanza(uris, extra) {
  printf "Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n%s", uris, release, extra
  found = 1
  exit
}

function names_release(suites, parts, n, i) {
  n = split(suites, parts, " ")
  for (i = 1; i <= n; i++) if (parts[i] == release) return 1
  return 0
}

function flush_stanza(extra) {
  if (names_release(field["suites"]) && field["types"] ~ /(^| )deb( |$)/ && field["enabled"] !~ /^(no|false|0)$/) {
    if ("signed-by" in raw) extra = extra "Signed-By:" raw["signed-by"] "\n"
    if ("trusted" in raw) extra = extra "Trusted:" raw["trusted"] "\n"
    if ("architectures" in raw) extra = extra "Architectures:" raw["architectures"] "\n"
    stanza(field["uris"], extra)
  }
  delete field
  delete raw
  key = ""
}

FNR == 1 { flush_stanza(); deb822 = FILENAME ~ /\.sources$/ }
/^[ \t]*#/ { next }

!deb822 {
  if ($1 != "deb") next
  line = $0
  extra = ""
  if (match(line, /\[[^]]*\]/)) {
    options = substr(line, RSTART + 1, RLENGTH - 2)
    line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
    n = split(options, option, " ")
    for (i = 1; i <= n; i++) {
      if (split(option[i], pair, "=") != 2) continue
      gsub(",", " ", pair[2])
      if (pair[1] == "signed-by") extra = extra "Signed-By: " pair[2] "\n"
      if (pair[1] == "trusted") extra = extra "Trusted: " pair[2] "\n"
      if (pair[1] == "arch") extra = extra "Architectures: " pair[2] "\n"
    }
  }
  split(line, word, " ")
  if (word[3] == release) stanza(word[2], extra)
  next
}

/^[ \t]*$/ { flush_stanza(); next }
/^[ \t]/ {
  raw[key] = raw[key] "\n" $0
  field[key] = field[key] " " $0
  next
}
{
  colon = index($0, ":")
  key = tolower(substr($0, 1, colon - 1))
  raw[key] = substr($0, colon + 1)
  field[key] = raw[key]
  gsub(/^[ \t]+|[ \t]+$/, "", field[key])
}
END { if (!found) flush_stanza() }
