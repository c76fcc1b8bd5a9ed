// SPDX-License-Identifier: Apache-2.0
// Processes, their mappings and the files behind them.
#include "symbols/symbolizer.hpp"

#include <algorithm>
#include <utility>

#include "symbols/perf_map.hpp"
#include "symbols/process_files.hpp"

namespace connleak {

namespace {

// Programs that generate code have addresses in no file for ever; libraries are loaded a few times.
constexpr int kMaxRereads = 32;
// After that now and then: a maps file of 1,000 lines takes a millisecond, as this many calls do.
constexpr std::uint64_t kCallsPerReread = 16'384;
// Trying again is for files that one process may not reach and another may.
constexpr int kMaxOpenTries = 8;
// Known, open or not; those that nobody has mapped any more go first.
constexpr std::size_t kMaxFiles = 16384;
constexpr std::size_t kFileBytes = 256;   // with its key, path and identity
constexpr std::size_t kAnswerBytes = 64;  // of a node of the map
constexpr std::size_t kInPlace = 15;      // characters that std::string needs no other memory for

std::size_t bytes_of(const std::string& text) { return text.capacity() > kInPlace ? text.capacity() + 1 : 0; }

std::size_t bytes_of(const std::vector<SymbolFrame>& frames) {
  std::size_t bytes = kAnswerBytes + frames.capacity() * sizeof(SymbolFrame);
  for (const SymbolFrame& frame : frames) {
    bytes += bytes_of(frame.module);
    if (frame.function) bytes += bytes_of(*frame.function);
    if (frame.file) bytes += bytes_of(*frame.file);
  }
  return bytes;
}

}  // namespace

// One file that processes have mapped. Shared by all of them; closed and opened again under the limit of open
// files.
struct Symbolizer::File {
  std::string path;
  std::string identity;  // "" until first opened
  std::shared_ptr<Module> module;
  std::uint64_t last_use = 0;
  int tries = 0;
};

struct Symbolizer::Mapping {
  MapsEntry entry;
  std::shared_ptr<File> file;                                                                 // null: no file
  [[nodiscard]] bool is_generated() const { return !file && !entry.path.starts_with("[v"); }  // [vdso], [vsyscall]
};

struct Symbolizer::Process {
  std::vector<Mapping> mappings;  // ascending
  // Key: address, shifted left by one, and whether it is a return address.
  std::unordered_map<std::uint64_t, std::vector<SymbolFrame>> answers;
  std::size_t answers_bytes = 0;
  std::size_t mappings_bytes = 0;
  std::uint64_t last_use = 0;
  std::uint64_t last_reread = 0;
  int rereads = 0;
  std::optional<PerfMap> perf_map;
  std::size_t perf_map_bytes = 0;
  bool is_gone = false;

  [[nodiscard]] const Mapping* find(std::uint64_t address) const {
    const auto next =
        std::ranges::upper_bound(mappings, address, {}, [](const Mapping& m) { return m.entry.start; });
    if (next == mappings.begin() || address >= std::prev(next)->entry.end) return nullptr;
    return &*std::prev(next);
  }
};

Symbolizer::Symbolizer(SymbolizerLimits limits) : limits_(limits) {}
Symbolizer::~Symbolizer() = default;

void Symbolizer::process_seen(std::uint32_t pid, std::uint64_t start_ns) { process({pid, start_ns}); }

void Symbolizer::look_again(std::uint32_t pid, std::uint64_t start_ns) {
  const ProcessKey key{pid, start_ns};
  if (Process& known = process(key); !known.is_gone) read_maps(key, known);
}

void Symbolizer::process_replaced(std::uint32_t pid, std::uint64_t start_ns) {
  const ProcessKey key{pid, start_ns};
  forget(key);
  process(key);
}

void Symbolizer::process_gone(std::uint32_t pid, std::uint64_t start_ns) {
  if (const auto known = processes_.find({pid, start_ns}); known != processes_.end())
    known->second->is_gone = true;
}

Symbolizer::Process& Symbolizer::process(ProcessKey key) {
  ++now_;
  if (last_ == nullptr || last_key_ != key) {
    auto known = processes_.find(key);
    if (known == processes_.end()) {
      if (processes_.size() >= limits_.processes) forget_processes();
      known = processes_.emplace(key, std::make_unique<Process>()).first;
      known->second->last_use = now_;
      ++stats_.processes_seen;
      read_maps(key, *known->second);
      if (known->second->mappings.empty()) ++stats_.processes_missed;
    }
    last_ = known->second.get();
    last_key_ = key;
  }
  last_->last_use = now_;
  return *last_;
}

void Symbolizer::read_maps(ProcessKey key, Process& process) {
  const Fd directory = open_process(key.pid, key.start_ns);
  const auto text = directory ? read_maps_text(directory) : std::nullopt;
  if (!text || text->empty()) {
    process.is_gone = true;
    return;
  }
  ++stats_.maps_read;
  std::vector<Mapping> mappings;
  for (MapsEntry& entry : parse_maps(*text)) {
    auto file = file_for(directory, entry);
    mappings.push_back({std::move(entry), std::move(file)});
  }
  std::ranges::sort(mappings, {}, [](const Mapping& m) { return m.entry.start; });
  process.mappings = std::move(mappings);
  mappings_bytes_ -= process.mappings_bytes;
  process.mappings_bytes = process.mappings.capacity() * sizeof(Mapping);
  for (const Mapping& mapping : process.mappings) process.mappings_bytes += bytes_of(mapping.entry.path);
  mappings_bytes_ += process.mappings_bytes;
  if (memory_bytes() > limits_.bytes) make_room();
}

std::shared_ptr<Symbolizer::File> Symbolizer::file_for(const Fd& directory, const MapsEntry& entry) {
  if (entry.file.inode == 0) return nullptr;
  auto& file = files_[entry.file];
  if (!file) {
    file = std::make_shared<File>();
    file->path = entry.path;
  }
  file->last_use = now_;
  if (!file->module) open_file(directory, entry, file);
  return file;
}

void Symbolizer::open_file(const Fd& directory, const MapsEntry& entry, std::shared_ptr<File>& file) {
  if (file->tries >= kMaxOpenTries) return;
  Fd opened = open_mapped(directory, entry);
  auto module = opened ? Module::open(std::move(opened), entry.path, debug_file_opener(directory))
                       : Result<std::unique_ptr<Module>>(failure(ErrorKind::failed, "cannot be opened"));
  if (!module) {
    if (file->tries++ == 0) ++stats_.modules_refused;
    return;
  }
  if (!file->identity.empty() && file->identity != (*module)->identity()) {
    // The inode belongs to another file by now; those who had mapped the old one keep their closed entry.
    file = std::make_shared<File>();
    file->path = entry.path;
    file->last_use = now_;
  }
  if (open_files_ >= limits_.modules || files_.size() >= kMaxFiles) close_unused_files();
  file->identity = (*module)->identity();
  file->module = *std::move(module);
  file->tries = 0;
  ++open_files_;
  ++stats_.modules_opened;
}

void Symbolizer::close(File& file) {
  if (!file.module) return;
  tables_bytes_ -= file.module->memory_bytes();
  file.module->forget_tables();  // others may hold the file itself
  file.module.reset();
  --open_files_;
}

// Closes the quarter that was not used for longest, and forgets files that no process has mapped.
void Symbolizer::close_unused_files() {
  std::erase_if(files_, [&](const auto& known) {
    const bool is_unused = known.second && known.second.use_count() == 1 && known.second->last_use != now_;
    if (is_unused) close(*known.second);
    return is_unused;
  });
  std::vector<File*> open;
  for (const auto& [key, file] : files_) {
    if (file && file->module) open.push_back(file.get());
  }
  std::ranges::sort(open, {}, &File::last_use);
  for (std::size_t i = 0; i < open.size() && open_files_ > limits_.modules - limits_.modules / 4 - 1; ++i)
    close(*open[i]);
}

void Symbolizer::forget(ProcessKey key) {
  const auto known = processes_.find(key);
  if (known == processes_.end()) return;
  cached_ -= known->second->answers.size();
  answers_bytes_ -= known->second->answers_bytes;
  mappings_bytes_ -= known->second->mappings_bytes;
  tables_bytes_ -= known->second->perf_map_bytes;
  processes_.erase(known);
  last_ = nullptr;
}

// Forgets the eighth that was not used for longest, the dead before the living, and never the one in use.
void Symbolizer::forget_processes() {
  std::vector<std::pair<std::pair<bool, std::uint64_t>, ProcessKey>> order;
  order.reserve(processes_.size());
  for (const auto& [key, known] : processes_) {
    if (known->last_use != now_) order.push_back({{!known->is_gone, known->last_use}, key});
  }
  std::ranges::sort(order);
  order.resize(std::min(order.size(), limits_.processes / 8 + 1));
  for (const auto& [rank, key] : order) forget(key);
}

void Symbolizer::forget_answers() {
  for (const auto& [key, process] : processes_) {
    process->answers.clear();
    process->answers_bytes = 0;
  }
  cached_ = 0;
  answers_bytes_ = 0;
}

std::size_t Symbolizer::memory_bytes() const {
  return tables_bytes_ + answers_bytes_ + mappings_bytes_ + files_.size() * kFileBytes;
}

void Symbolizer::forget_tables() {
  std::vector<File*> read;
  for (const auto& [key, file] : files_) {
    if (file && file->module && file->last_use != now_ && file->module->memory_bytes() != 0)
      read.push_back(file.get());
  }
  std::ranges::sort(read, {}, &File::last_use);
  for (File* file : read) {
    if (memory_bytes() <= limits_.bytes) return;
    tables_bytes_ -= file->module->memory_bytes();
    file->module->forget_tables();
    ++stats_.tables_forgotten;
  }
  for (const auto& [key, process] : processes_) {
    if (memory_bytes() <= limits_.bytes) return;
    if (process->last_use == now_ || !process->perf_map) continue;
    process->perf_map.reset();
    count_perf_map(*process);
    ++stats_.tables_forgotten;
  }
}

// What costs least to get again goes first: tables that were not used for longest, then answers, then processes.
void Symbolizer::make_room() {
  forget_tables();
  if (memory_bytes() <= limits_.bytes) return;
  if (answers_bytes_ > limits_.bytes / 4) forget_answers();
  for (std::size_t known = 0; memory_bytes() - tables_bytes_ > limits_.bytes && known != processes_.size();) {
    known = processes_.size();
    forget_processes();
    close_unused_files();
  }
}

const Symbolizer::Mapping* Symbolizer::mapping_at(ProcessKey key, Process& process, std::uint64_t address) {
  const Mapping* mapping = process.find(address);
  const bool may_reread = process.rereads < kMaxRereads || now_ - process.last_reread >= kCallsPerReread;
  if (mapping == nullptr && !process.is_gone && may_reread) {
    ++process.rereads;
    process.last_reread = now_;
    read_maps(key, process);
    mapping = process.find(address);
  }
  if (mapping == nullptr) return nullptr;
  if (mapping->file) {
    if (!mapping->file->module && !process.is_gone) reopen(key, *mapping);
    mapping->file->last_use = now_;
  }
  return mapping;
}

void Symbolizer::reopen(ProcessKey key, const Mapping& mapping) {
  const Fd directory = open_process(key.pid, key.start_ns);
  auto reopened = mapping.file;
  if (directory) open_file(directory, mapping.entry, reopened);
  if (reopened == mapping.file) return;
  // Another file by now: of no use here, now or later.
  close(*reopened);
  mapping.file->tries = kMaxOpenTries;
}

std::optional<CodePlace> Symbolizer::code_at(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t address) {
  const ProcessKey key{pid, start_ns};
  const Mapping* mapping = mapping_at(key, process(key), address);
  if (mapping == nullptr) return std::nullopt;
  if (!mapping->file || !mapping->file->module) return CodePlace{};
  const MapsEntry& entry = mapping->entry;
  const auto link = mapping->file->module->image().address_of_offset(address - entry.start + entry.offset);
  if (!link) return std::nullopt;
  return CodePlace{mapping->file->module, *link};
}

std::vector<LoadedFile> Symbolizer::files(std::uint32_t pid, std::uint64_t start_ns) {
  std::vector<LoadedFile> found;
  for (const Mapping& mapping : process({pid, start_ns}).mappings) {
    if (!mapping.file || !mapping.file->module) continue;
    const auto is_same = [&](const LoadedFile& file) { return file.module == mapping.file->module; };
    if (std::ranges::any_of(found, is_same)) continue;
    const MapsEntry& entry = mapping.entry;
    for (const ElfImage::Segment& segment : mapping.file->module->image().segments()) {
      // Mappings begin at a page, segments where they like.
      if (!segment.executable || segment.offset < entry.offset ||
          segment.offset - entry.offset >= entry.end - entry.start)
        continue;
      found.push_back(
          {entry.path, entry.start - entry.offset + segment.offset - segment.address, mapping.file->module});
      break;
    }
  }
  return found;
}

void Symbolizer::count_perf_map(Process& process) {
  tables_bytes_ -= process.perf_map_bytes;
  process.perf_map_bytes = process.perf_map ? process.perf_map->memory_bytes() : 0;
  tables_bytes_ += process.perf_map_bytes;
}

std::vector<SymbolFrame> Symbolizer::generated(ProcessKey key, Process& process, std::uint64_t address) {
  std::optional<SymbolFrame> frame;
  if (process.perf_map) frame = process.perf_map->lookup(address);
  if (!frame && !process.is_gone) {
    if (!process.perf_map || !process.perf_map->refresh()) {
      const Fd directory = open_process(key.pid, key.start_ns);
      process.perf_map = directory ? PerfMap::open(directory) : std::nullopt;
      if (process.perf_map) process.perf_map->refresh();
    }
    count_perf_map(process);
    if (process.perf_map) frame = process.perf_map->lookup(address);
  }
  if (!frame) {
    frame.emplace();
    frame->module = "[generated]";
    return {*frame};
  }
  frame->application = is_application({}, *frame);
  return {*frame};
}

std::vector<SymbolFrame> Symbolizer::look_up(ProcessKey key, Process& process, std::uint64_t address,
                                             bool is_return_address) {
  const std::uint64_t wanted = is_return_address && address > 0 ? address - 1 : address;
  const Mapping* mapping = mapping_at(key, process, wanted);
  if (mapping == nullptr) return {};
  const MapsEntry& entry = mapping->entry;
  if (mapping->file && mapping->file->module) {
    Module& module = *mapping->file->module;
    tables_bytes_ -= module.memory_bytes();
    auto frames = module.resolve(wanted - entry.start + entry.offset);
    tables_bytes_ += module.memory_bytes();
    for (SymbolFrame& frame : frames) frame.offset += address - wanted;
    if (!frames.empty()) return frames;
  }
  SymbolFrame frame;
  frame.module = entry.path.starts_with('[') ? entry.path : entry.path.substr(entry.path.rfind('/') + 1);
  frame.offset = address - entry.start + entry.offset;
  return {frame};
}

const std::vector<SymbolFrame>& Symbolizer::resolve(std::uint32_t pid, std::uint64_t start_ns,
                                                    std::uint64_t address, bool is_return_address) {
  const ProcessKey key{pid, start_ns};
  Process& known = process(key);
  const std::uint64_t question = address << 1 | (is_return_address ? 1 : 0);
  if (const auto answer = known.answers.find(question); answer != known.answers.end()) return answer->second;
  const std::uint64_t wanted = is_return_address && address > 0 ? address - 1 : address;
  if (const Mapping* mapping = mapping_at(key, known, wanted); mapping != nullptr && mapping->is_generated()) {
    generated_ = generated(key, known, wanted);
    if (memory_bytes() > limits_.bytes) make_room();
    return generated_;
  }
  auto frames = look_up(key, known, address, is_return_address);
  // Not kept: something may be mapped there later.
  if (frames.empty()) return generated_ = std::move(frames);
  if (cached_ >= limits_.addresses) forget_answers();
  if (memory_bytes() > limits_.bytes) make_room();
  const std::size_t bytes = bytes_of(frames);
  known.answers_bytes += bytes;
  answers_bytes_ += bytes;
  ++cached_;
  return known.answers.emplace(question, std::move(frames)).first->second;
}

}  // namespace connleak
