// SPDX-License-Identifier: Apache-2.0
// An Explanation as text.
#include "views/explain.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "views/layout.hpp"

namespace connleak {
namespace {

class Page {
 public:
  explicit Page(const TextStyle& style)
      : paint_(style.colour), width_(static_cast<std::size_t>(std::max(style.width, 60))) {}

  void title(std::string_view text, std::size_t indent) {
    line(std::string(indent, ' ') + paint_(Tone::bold, cut(escape(text), width_ - indent)));
  }

  // "name   value", the value wrapped under itself.
  void pair(std::string_view name, std::string_view value, std::size_t indent, std::size_t column) {
    const std::size_t start = indent + column;
    bool first = true;
    for (const auto& part : wrap(escape(value), width_ - start)) {
      const std::string margin = first ? pad(escape(name), column) : std::string(column, ' ');
      line(std::string(indent, ' ') + paint_(Tone::dim, margin) + cut(part, width_ - start));
      first = false;
    }
  }

  void facts(const std::vector<Fact>& facts, std::size_t indent) {
    std::size_t column = 0;
    for (const auto& f : facts) column = std::max(column, display_width(escape(f.name)) + 2);
    for (const auto& f : facts) pair(f.name, f.value, indent, std::min<std::size_t>(column, 24));
  }

  void connection(const ConnectionExplanation& c) {
    line("");
    title(c.title, 0);
    facts(c.facts, 2);
    if (!c.timeline.empty()) line("  " + paint_(Tone::dim, "timeline"));
    std::size_t column = 0;
    for (const auto& t : c.timeline) column = std::max(column, display_width(escape(t.when)) + 2);
    for (const auto& t : c.timeline) pair(t.when, t.what, 4, std::min<std::size_t>(column, 26));
  }

  void rule(const RuleExplanation& r) {
    const std::string_view answer = !r.fires ? "cannot tell" : *r.fires ? "YES" : "no";
    const Tone tone = !r.fires ? Tone::yellow : *r.fires ? Tone::red : Tone::green;
    std::string head = pad(escape(r.id), 7) + pad(escape(r.name), 19);
    std::string about = r.subject.empty() ? "" : "  " + escape(r.subject);
    line("  " + head + paint_(tone, answer) + paint_(Tone::dim, cut(about, width_ - 39)));
    for (const auto& reason : r.reasons) pair("-", reason, 6, 2);
  }

  void line(std::string_view text) { out.append(text.substr(0, text.find_last_not_of(' ') + 1)).append("\n"); }

  std::string out;

 private:
  Paint paint_;
  std::size_t width_;
};

}  // namespace

std::string render_explain(const Explanation& explanation, const TextStyle& style) {
  Page page(style);
  page.title(explanation.heading, 0);
  page.facts(explanation.facts, 2);
  for (const auto& c : explanation.connections) page.connection(c);
  if (!explanation.rules.empty()) {
    page.line("");
    page.title("Rules", 0);
  }
  for (const auto& r : explanation.rules) page.rule(r);
  return std::move(page.out);
}

}  // namespace connleak
