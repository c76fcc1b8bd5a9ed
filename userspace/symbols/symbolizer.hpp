// SPDX-License-Identifier: Apache-2.0
// Names for addresses of processes, also of those that are gone by the time somebody asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.hpp"
#include "symbols/frame.hpp"
#include "symbols/maps.hpp"
#include "symbols/module.hpp"

namespace connleak {

// What is over a limit is forgotten, the longest unused and the dead first.
struct SymbolizerLimits {
  std::size_t modules = 384;  // open files (up to two descriptors each), below the usual limit of 1,024
  std::size_t processes = 4096;
  std::size_t addresses = 200'000;  // cached answers, some 500 bytes each
  // Of all that is kept: symbol tables and debug information of files and maps of generated code, which are read
  // again when they are wanted, answers and mappings. What is in use stays: one file's debug information may have
  // 512 MiB (dwarf_lines.hpp).
  std::size_t bytes = std::size_t{256} << 20;
};

struct SymbolizerStats {
  std::uint64_t processes_seen = 0;
  std::uint64_t processes_missed = 0;  // gone, or not ours to read, before their maps were
  std::uint64_t modules_opened = 0;
  std::uint64_t modules_refused = 0;  // not readable, not ELF, or on a file system that a user process serves
  std::uint64_t maps_read = 0;
  std::uint64_t tables_forgotten = 0;  // to stay below the limit
};

// A byte of code.
struct CodePlace {
  std::shared_ptr<const Module> module;  // nullptr: mapped from no file that could be opened
  std::uint64_t link_address = 0;        // in it
};

// A file that a process has mapped executable.
struct LoadedFile {
  std::string path;        // as the process sees it
  std::uint64_t bias = 0;  // added to link-time addresses
  std::shared_ptr<Module> module;
};

// Not thread-safe. Reads /proc and files; no network, no clock. Processes are identified by pid and start
// (nanoseconds of the boot-time clock, compared with /proc/PID/stat in ticks; 0: not checked).
class Symbolizer {
 public:
  explicit Symbolizer(SymbolizerLimits limits = {});
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Call while the process lives: opens the files that it has mapped executable. Later calls do nothing.
  void process_seen(std::uint32_t pid, std::uint64_t start_ns);
  // It has mapped more since, perhaps: its maps are read again. Nothing where it is gone.
  void look_again(std::uint32_t pid, std::uint64_t start_ns);
  // After exec: the same process with another program. What was known of it is forgotten and read anew.
  void process_replaced(std::uint32_t pid, std::uint64_t start_ns);
  // Names stay available; the process is no longer looked at in /proc and is among the first to be forgotten.
  void process_gone(std::uint32_t pid, std::uint64_t start_ns);

  // Innermost first, inlined frames included. A return address is looked up at the byte before it, so that a call
  // at the end of a line or function names that one; pass false for the interrupted address itself. Generated code
  // has the names of the process's perf map, else the module "[generated]" alone, asked anew each time: it moves.
  // Empty: no code that is mapped there (or the process was never seen alive). Valid until the next call of any
  // member.
  [[nodiscard]] const std::vector<SymbolFrame>& resolve(std::uint32_t pid, std::uint64_t start_ns,
                                                        std::uint64_t address, bool is_return_address);

  // What is mapped executable there; nullopt: nothing that is known of.
  [[nodiscard]] std::optional<CodePlace> code_at(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t address);

  // Those that are open, each once.
  [[nodiscard]] std::vector<LoadedFile> files(std::uint32_t pid, std::uint64_t start_ns);

  [[nodiscard]] const SymbolizerStats& stats() const { return stats_; }
  // About what is kept, of which the limit is SymbolizerLimits::bytes. Counts sizes, not what the allocator adds.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct File;
  struct Mapping;
  struct Process;
  struct ProcessKey {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    friend auto operator<=>(const ProcessKey&, const ProcessKey&) = default;
  };

  Process& process(ProcessKey key);
  void read_maps(ProcessKey key, Process& process);
  std::shared_ptr<File> file_for(const Fd& directory, const MapsEntry& entry);
  void open_file(const Fd& directory, const MapsEntry& entry, std::shared_ptr<File>& file);
  void close(File& file);
  void close_unused_files();
  void forget(ProcessKey key);
  void forget_processes();
  void forget_answers();
  void forget_tables();
  void count_perf_map(Process& process);
  void make_room();
  const Mapping* mapping_at(ProcessKey key, Process& process, std::uint64_t address);
  void reopen(ProcessKey key, const Mapping& mapping);
  std::vector<SymbolFrame> generated(ProcessKey key, Process& process, std::uint64_t address);
  std::vector<SymbolFrame> look_up(ProcessKey key, Process& process, std::uint64_t address,
                                   bool is_return_address);

  SymbolizerLimits limits_;
  SymbolizerStats stats_;
  std::uint64_t now_ = 0;  // counts calls, for what was used last
  std::size_t cached_ = 0;
  std::size_t answers_bytes_ = 0;
  std::size_t mappings_bytes_ = 0;
  std::size_t tables_bytes_ = 0;
  std::size_t open_files_ = 0;
  std::map<ProcessKey, std::unique_ptr<Process>> processes_;
  Process* last_ = nullptr;
  ProcessKey last_key_;
  std::vector<SymbolFrame> generated_;  // the last answer about generated code
  std::map<FileKey, std::shared_ptr<File>> files_;
};

}  // namespace connleak
