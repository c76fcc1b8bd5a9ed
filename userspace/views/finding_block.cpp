// SPDX-License-Identifier: Apache-2.0
// One finding: headline, rule, place, stack, reasons, members, and what to ask the server.
#include "views/finding_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "report/names.hpp"

namespace connleak {
namespace {

constexpr std::size_t verdict_column = 9;  // "SUSPECT" and two spaces
constexpr std::size_t label_column = 17;   // two spaces, "on the server:", one space
constexpr std::size_t members_shown = 3;
constexpr std::size_t callers_shown = 3;
constexpr std::size_t frames_shown = 14;

class Block {
 public:
  Block(const Paint& paint, std::size_t width) : paint_(paint), width_(width) {}

  [[nodiscard]] std::size_t room() const { return width_ - label_column; }

  // A line of the right column; the label stands before the first line after label().
  void label(std::string_view label) { label_ = label; }
  void line(std::string_view painted) {
    const std::string label = "  " + label_;
    lines.push_back(paint_(Tone::dim, pad(label, label_column)) + std::string(painted));
    if (label_.empty()) lines.back() = std::string(label_column, ' ') + std::string(painted);
    label_.clear();
  }
  std::vector<std::string> lines;

 private:
  const Paint& paint_;
  std::size_t width_;
  std::string label_;
};

std::string_view stack_meaning(StackKind kind) {
  switch (kind) {
    case StackKind::acquire:
      return "where it was taken from the pool";
    case StackKind::last_use:
      return "where it was used last";
    case StackKind::open:
      return "where it was opened";
  }
  return "";
}

void put_headline(Block& block, const Process& p, const Group& g, const Finding& f, const Paint& paint,
                  std::size_t width) {
  const std::string text =
      fmt::format("{} of {} to {}", connections_text(f.connections), process_label(p), target_label(g));
  bool first = true;
  for (const auto& line : wrap(text, width - verdict_column)) {
    const std::string margin =
        first ? pad(verdict_name(f.verdict), verdict_column) : std::string(verdict_column, ' ');
    block.lines.push_back(paint(verdict_tone(f.verdict), margin) +
                          paint(Tone::bold, cut(line, width - verdict_column)));
    first = false;
  }
}

// The oldest member tells whether the age is exact.
bool age_is_lower_bound(const Finding& f) {
  const auto older = [](const Member& a, const Member& b) { return a.age_s.value_or(-1) < b.age_s.value_or(-1); };
  const auto oldest = std::max_element(f.members.begin(), f.members.end(), older);
  return oldest != f.members.end() && oldest->age_kind == AgeKind::at_least;
}

void put_facts(Block& block, const Group& g, const Finding& f, std::size_t width) {
  std::string text = f.rule ? escape(*f.rule) + " " : "";
  text += fmt::format("{}, confidence {}, oldest {}{}", escape(f.name), confidence_name(f.confidence),
                      age_is_lower_bound(f) ? "at least " : "", duration_text(f.oldest_age_s));
  std::optional<double> idle;
  for (const auto& m : f.members) {
    if (m.idle_s) idle = std::max(idle.value_or(0), *m.idle_s);
  }
  if (idle) text += ", idle up to " + duration_text(idle);
  if (f.epochs > 1) text += fmt::format(", lost at {} separate times", f.epochs);
  if (g.growth_per_hour && *g.growth_per_hour > 0) text += fmt::format(", growing {:.0f}/h", *g.growth_per_hour);
  if (g.exhausted_in_s) text += ", the limit is reached in " + duration_text(g.exhausted_in_s);
  if (f.closed_at_exit) text += ", closed at exit";
  if (f.known) text += ", KNOWN: the baseline has it";
  if (!f.also.empty()) text += escape(fmt::format(", also fits {}", fmt::join(f.also, " ")));
  if (!f.complete) text += ", INCOMPLETE: events were lost in its time";
  for (const auto& line : wrap(text, width - verdict_column)) {
    block.lines.push_back(std::string(verdict_column, ' ') + cut(line, width - verdict_column));
  }
}

void put_place(Block& block, const Finding& f, const Paint& paint) {
  block.label("lost at:");
  if (!f.culprit) {
    const bool helpers = std::ranges::any_of(f.stack, [](const Frame& frame) { return frame.application; });
    block.line(f.stack.empty() ? "unknown: no stack was seen"
               : helpers       ? "unknown: nothing but helpers in the stack"
                               : "unknown: no application frame in the stack");
    return;
  }
  const std::string name = escape(frame_name(*f.culprit));
  const std::string place = escape(frame_place(*f.culprit));
  const std::string meaning = f.stack_kind ? fmt::format("({})", stack_meaning(*f.stack_kind)) : "";
  const std::string painted = paint(Tone::bold, cut(name, block.room()));
  const std::size_t together = display_width(name) + 2 + display_width(place);
  const std::string both = place.empty() ? painted : painted + "  " + place;
  if (together + 2 + meaning.size() <= block.room() && !meaning.empty()) {
    block.line(both + "  " + paint(Tone::dim, meaning));
    return;
  }
  // The place is what gets opened in an editor: it keeps its full length on a line of its own.
  if (together <= block.room()) {
    block.line(both);
  } else {
    block.line(painted);
    if (!place.empty()) block.line(place);
  }
  if (!meaning.empty()) block.line(paint(Tone::dim, meaning));
}

// A culprit that everything goes through says little without them.
void put_callers(Block& block, const Finding& f, const Paint& paint) {
  block.label("called from:");
  const std::size_t shown = f.callers.size() <= callers_shown + 1 ? f.callers.size() : callers_shown;
  for (std::size_t i = 0; i < shown; ++i) {
    const Caller& caller = f.callers[i];
    const std::string name = cut(escape(frame_name(caller.frame)), block.room());
    const std::string place = escape(frame_place(caller.frame));
    const std::string count = fmt::format("({})", connections_text(caller.connections));
    const std::size_t for_place = block.room() - std::min(block.room(), 4 + display_width(count));
    if (display_width(name) + display_width(place) <= for_place) {
      block.line(paint(Tone::bold, name) + (place.empty() ? "" : "  " + place) + "  " + paint(Tone::dim, count));
    } else {
      block.line(paint(Tone::bold, name));
      block.line("  " + (place.empty() ? "" : cut_left(place, for_place) + "  ") + paint(Tone::dim, count));
    }
  }
  if (shown != f.callers.size())
    block.line(paint(Tone::dim, fmt::format("and from {} more places", f.callers.size() - shown)));
}

std::string frame_line(const Frame& frame, std::size_t name_width, std::size_t room, const Paint& paint) {
  const std::string mark = frame.application ? "> " : "  ";
  const std::string name = cut(escape(frame_name(frame)), name_width);
  std::string place = escape(frame_place(frame));
  if (place.empty() && frame.module && frame.function) place = escape(base_name(*frame.module));
  const std::string text =
      place.empty() ? mark + name : mark + pad(name, name_width) + "  " + cut_left(place, room - name_width - 4);
  return paint(frame.application ? Tone::bold : Tone::dim, text);
}

// Frames of the application stand out; of each run of others only the one that the application called stays.
void put_stack(Block& block, const Finding& f, const Paint& paint) {
  const auto& stack = f.stack;
  const bool known = std::any_of(stack.begin(), stack.end(), [](const Frame& x) { return x.application; });
  struct Entry {
    const Frame* frame;
    std::size_t hidden;  // library frames left out before it
  };
  std::vector<Entry> entries;
  std::size_t hidden = 0;
  bool full = false;  // from there on, application frames are left out, too
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const bool called = i + 1 < stack.size() && stack[i + 1].application;
    if (entries.size() < frames_shown && (!known || stack[i].application || called)) {
      entries.push_back({&stack[i], hidden});
      hidden = 0;
    } else {
      full = full || !known || stack[i].application;
      ++hidden;
    }
  }
  std::size_t name_width = 0;
  for (const auto& e : entries) name_width = std::max(name_width, display_width(escape(frame_name(*e.frame))));
  name_width = std::min(name_width, block.room() * 55 / 100);

  const auto left_out = [&](std::size_t n, std::string_view what) {
    if (n != 0) block.line(paint(Tone::dim, fmt::format("  ... {} {} frame{}", n, what, n == 1 ? "" : "s")));
  };
  block.label("stack:");
  for (const auto& e : entries) {
    left_out(e.hidden, "library");
    block.line(frame_line(*e.frame, name_width, block.room(), paint));
  }
  left_out(hidden, full ? "more" : "library");
}

void put_why(Block& block, const Finding& f) {
  block.label("why:");
  for (const auto& why : f.why) {
    bool first = true;
    for (const auto& line : wrap(escape(why), block.room() - 2)) {
      block.line((first ? "- " : "  ") + cut(line, block.room() - 2));
      first = false;
    }
  }
}

// "12-30, 33"
std::string number_ranges(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] <= numbers[end] + 1) ++end;
    out += out.empty() ? "" : ", ";
    out += numbers[end] == numbers[i] ? fmt::format("{}", numbers[i])
                                      : fmt::format("{}-{}", numbers[i], numbers[end]);
    i = end + 1;
  }
  return out;
}

std::string member_line(const Member& m) {
  std::string text = pad("fd " + (m.fd ? std::to_string(*m.fd) : "?"), 7);
  const std::string at = m.local ? *m.local : m.peer ? fmt::format("{} pid {}", m.peer->comm, m.peer->pid) : "?";
  text += "  " + pad(escape(at), std::max<std::size_t>(15, at.size()));
  text += fmt::format("  age {}{}", m.age_kind == AgeKind::at_least ? ">=" : "", duration_text(m.age_s));
  text += "  idle " + duration_text(m.idle_s);
  if (m.state != "idle") text += "  " + escape(m.state);
  if (m.transaction && *m.transaction != "none") text += "  transaction " + escape(*m.transaction);
  return text;
}

void put_members(Block& block, const Finding& f) {
  std::vector<const Member*> order;
  order.reserve(f.members.size());
  for (const auto& m : f.members) order.push_back(&m);
  std::stable_sort(order.begin(), order.end(),
                   [](auto a, auto b) { return a->age_s.value_or(-1) > b->age_s.value_or(-1); });
  block.label("members:");
  const std::size_t shown = order.size() <= members_shown + 1 ? order.size() : members_shown;
  for (std::size_t i = 0; i < shown; ++i) block.line(cut(member_line(*order[i]), block.room()));
  if (shown == order.size()) return;
  std::vector<int> fds;
  for (std::size_t i = shown; i < order.size(); ++i) {
    if (order[i]->fd) fds.push_back(*order[i]->fd);
  }
  const std::string rest = fmt::format("and {} more", order.size() - shown);
  block.line(cut(fds.empty() ? rest : rest + ": fd " + number_ranges(fds), block.room()));
}

}  // namespace

Tone verdict_tone(Verdict verdict) {
  switch (verdict) {
    case Verdict::leak:
      return Tone::red;
    case Verdict::suspect:
      return Tone::yellow;
    case Verdict::held:
      return Tone::blue;
    case Verdict::stale:
      return Tone::bold;
  }
  return Tone::plain;
}

std::string process_label(const Process& process) {
  return fmt::format("{} (pid {}{})", escape(process.comm), process.pid, process.alive ? "" : ", exited");
}

std::string target_label(const Group& group) {
  std::string text = escape(endpoint_name(group.endpoint));
  if (group.user || group.database) {
    text += "  " + escape(group.user.value_or("?"));
    if (group.database) text += "@" + escape(*group.database);
  }
  return text + fmt::format("  ({}{})", escape(group.protocol), group.tls.value_or(false) ? ", tls" : "");
}

std::string connections_text(std::uint64_t count) {
  return fmt::format("{} connection{}", count, count == 1 ? "" : "s");
}

std::vector<std::string> finding_block(const Process& process, const Group& group, const Finding& finding,
                                       const Paint& paint, std::size_t width) {
  Block block(paint, width);
  put_headline(block, process, group, finding, paint, width);
  put_facts(block, group, finding, width);
  block.lines.emplace_back();
  put_place(block, finding, paint);
  if (!finding.callers.empty()) put_callers(block, finding, paint);
  if (!finding.stack.empty()) put_stack(block, finding, paint);
  if (!finding.why.empty()) put_why(block, finding);
  if (!finding.members.empty()) put_members(block, finding);
  if (finding.server_filter) {
    block.label("on the server:");
    block.line(escape(*finding.server_filter));
  }
  return std::move(block.lines);
}

}  // namespace connleak
