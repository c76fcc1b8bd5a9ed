// SPDX-License-Identifier: Apache-2.0
#include "symbols/perf_map.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <queue>

#include "symbols/perf_names.hpp"
#include "symbols/process_files.hpp"

namespace connleak {

namespace {

constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kKeptEnd = 256;
// Functions that are looked through one by one before all are sorted anew.
constexpr std::size_t kMaxUnsorted = 1024;
constexpr std::uint32_t kNothing = UINT32_MAX;

// Short at the file's end, and where it cannot be read.
std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, text.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

std::optional<std::uint64_t> take_hex(std::string_view& line) {
  if (line.starts_with("0x")) line.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
  if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return value;
}

}  // namespace

std::optional<PerfMap> PerfMap::open(const Fd& process) {
  const auto pid = pid_in_own_namespace(process);
  if (!pid) return std::nullopt;
  Fd file = open_own_file(process, "tmp/perf-" + std::to_string(*pid) + ".map");
  if (!file) return std::nullopt;
  return PerfMap(std::move(file));
}

PerfMap::PerfMap(Fd file, Limits limits) : file_(std::move(file)), limits_(limits) { refresh(); }

bool PerfMap::refresh() {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0 || status.st_nlink == 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < done_ || !is_continued()) clear();
  if (size > done_) read_on(std::min(size, limits_.bytes));
  if (functions_.size() - sorted_ > std::max(kMaxUnsorted, sorted_ / 64)) sort();
  return true;
}

bool PerfMap::is_continued() const { return read_at(file_.get(), done_ - last_.size(), last_.size()) == last_; }

void PerfMap::clear() {
  done_ = 0;
  sorted_ = 0;
  last_.clear();
  names_.clear();
  functions_.clear();
  pieces_.clear();
}

void PerfMap::read_on(std::uint64_t size) {
  constexpr std::size_t kPart = std::size_t{1} << 20;
  while (done_ < size) {
    const std::string part =
        read_at(file_.get(), done_, static_cast<std::size_t>(std::min<std::uint64_t>(kPart, size - done_)));
    const auto end = part.rfind('\n');
    if (end == std::string::npos) {
      if (part.size() < kPart) return;  // a line that is still being written
      done_ += part.size();             // of a megabyte: no line of this format
      last_ = part.substr(part.size() - kKeptEnd);
      continue;
    }
    const std::string_view lines(part.data(), end + 1);
    for (std::size_t at = 0; at < lines.size();) {
      const auto next = lines.find('\n', at);
      add_line(lines.substr(at, next - at));
      at = next + 1;
    }
    done_ += lines.size();
    last_ = lines.substr(lines.size() - std::min(lines.size(), kKeptEnd));
  }
}

void PerfMap::add_line(std::string_view line) {
  const auto start = take_hex(line);
  const auto size = start ? take_hex(line) : std::nullopt;
  if (!size || *size == 0 || *size > UINT64_MAX - *start) return;
  if (line.empty() || line.size() > kMaxName || functions_.size() >= limits_.functions) return;
  functions_.push_back({*start, *start + *size, static_cast<std::uint32_t>(names_.size()),
                        static_cast<std::uint32_t>(line.size())});
  names_ += line;
}

// Cuts the address space where a function begins or ends; each piece is the last one's of those that cover it.
void PerfMap::sort() {
  std::vector<std::uint32_t> order(functions_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [this](std::uint32_t i) { return functions_[i].start; });
  pieces_.clear();
  const auto put = [this](std::uint64_t start, std::uint32_t function) {
    if (!pieces_.empty() && pieces_.back().start == start) pieces_.pop_back();
    if (pieces_.empty() || pieces_.back().function != function) pieces_.push_back({start, function});
  };
  std::priority_queue<std::uint32_t> open;
  std::uint64_t now = 0;
  // Goes on to the address: each end on the way uncovers what lies below.
  const auto advance = [&](std::uint64_t until) {
    while (!open.empty()) {
      const std::uint64_t end = functions_[open.top()].end;
      if (end > until) return;
      open.pop();
      now = std::max(now, end);
      while (!open.empty() && functions_[open.top()].end <= now) open.pop();
      put(now, open.empty() ? kNothing : open.top());
    }
  };
  for (const std::uint32_t i : order) {
    advance(functions_[i].start);
    now = functions_[i].start;
    open.push(i);
    put(now, open.top());
  }
  advance(UINT64_MAX);
  sorted_ = functions_.size();
}

SymbolFrame PerfMap::frame(const Function& function) const {
  return perf_name_frame(std::string_view(names_).substr(function.name, function.name_size));
}

std::optional<SymbolFrame> PerfMap::lookup(std::uint64_t address) const {
  for (std::size_t i = functions_.size(); i > sorted_; --i) {
    const Function& function = functions_[i - 1];
    if (address >= function.start && address < function.end) return frame(function);
  }
  const auto after = std::ranges::upper_bound(pieces_, address, {}, &Piece::start);
  if (after == pieces_.begin() || (after - 1)->function == kNothing) return std::nullopt;
  return frame(functions_[(after - 1)->function]);
}

}  // namespace connleak
