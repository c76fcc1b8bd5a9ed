// SPDX-License-Identifier: Apache-2.0
// The style sheet of the HTML report.
#pragma once

#include <string_view>

namespace connleak {

inline constexpr std::string_view html_style = R"css(
:root { color-scheme: light dark; --fg: #1d2129; --dim: #667080; --bg: #fff; --card: #f6f7f9; --line: #dde1e7;
  --leak: #c4232b; --suspect: #a86400; --held: #3558b8; --stale: #667080; --ok: #1c7a3e; }
@media (prefers-color-scheme: dark) { :root { --fg: #e4e7ec; --dim: #97a0af; --bg: #14171c; --card: #1d2128;
  --line: #343a45; --leak: #ff6b70; --suspect: #f0b040; --held: #86a6ff; --stale: #97a0af; --ok: #5fce8a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 68rem;
  margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0 0 .3rem; }
.dim { color: var(--dim); } code, pre, .mono { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.totals { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0; padding: 0; list-style: none; }
.totals li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .9rem; }
.totals b { font-size: 1.3rem; margin-right: .3rem; }
.finding { background: var(--card); border: 1px solid var(--line); border-left: .35rem solid var(--stale);
  border-radius: .4rem; padding: .9rem 1.1rem; margin: 0 0 1rem; break-inside: avoid; }
.LEAK { border-left-color: var(--leak); } .SUSPECT { border-left-color: var(--suspect); }
.HELD { border-left-color: var(--held); }
.v { font-weight: 700; } .v.LEAK, .n.leak { color: var(--leak); } .v.SUSPECT, .n.suspect { color: var(--suspect); }
.v.HELD { color: var(--held); } .ok { color: var(--ok); font-weight: 600; }
.warn { border: 1px solid var(--suspect); border-radius: .4rem; padding: .5rem .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--dim); } dd { margin: 0; }
dd ul { margin: 0; padding-left: 1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; }
pre { margin: 0; white-space: pre-wrap; } summary { cursor: pointer; color: var(--dim); }
.app { font-weight: 700; }
@media print { body { margin: 0; max-width: none; } .finding { border-color: #999; } }
)css";

}  // namespace connleak
