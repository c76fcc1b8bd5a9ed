// SPDX-License-Identifier: Apache-2.0
// Prints a sample Snapshot in a format: export_sample SAMPLE FORMAT. For checks by other programs, and to look at.
#include "export_sample.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "export/csv.hpp"
#include "export/html.hpp"
#include "export/json.hpp"
#include "export/prometheus.hpp"
#include "views/text_report.hpp"
#include "views/top_table.hpp"

int main(int argc, char** argv) {
  using namespace connleak;
  const std::string_view name = argc > 1 ? argv[1] : "typical";
  const std::string_view format = argc > 2 ? argv[2] : "text";
  const int width = argc > 3 ? std::atoi(argv[3]) : 100;
  const Snapshot s = name == "everything" ? sample::everything()
                     : name == "hostile"  ? sample::hostile()
                     : name == "empty"    ? sample::base()
                                          : sample::typical();
  std::string out;
  if (format == "json") out = to_json(s);
  if (format == "line") out = to_json_line(s);
  if (format == "csv") out = to_csv(s);
  if (format == "html") out = to_html(s);
  if (format == "prometheus") out = to_prometheus(s);
  if (format == "text") out = render_report(s, {true, width});
  if (format == "top") {
    for (const auto& line : render_top(s, {true, width, 24})) out += line + "\n";
  }
  return std::fputs(out.c_str(), stdout) < 0 ? 1 : 0;
}
