// SPDX-License-Identifier: Apache-2.0
#include "probes/site_costs.hpp"

#include <bpf/libbpf.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "connleak.skel.h"
#include "probes/loading.hpp"
#include "probes/probes.hpp"
#include "probes/state.hpp"

#if defined(__x86_64__)
// A function that begins with what the kernel emulates, and one that begins with what it does not.
asm(R"(
  .pushsection .text
  .globl connleak_emulated
  .type connleak_emulated, @function
connleak_emulated:
  push %rbp
  pop %rbp
  ret
  .globl connleak_stepped
  .type connleak_stepped, @function
connleak_stepped:
  test %rdi, %rdi
  ret
  .popsection
)");
extern "C" void connleak_emulated();
extern "C" void connleak_stepped();
#endif

namespace connleak {

namespace {

#if defined(__x86_64__)

constexpr int kRounds = 9;
constexpr int kCalls = 200;  // a round takes 2 ms where a hit takes 10 us

using Function = void (*)();

struct Sought {
  std::uintptr_t address;
  std::optional<std::uint64_t> offset;
};

// In the file of this program.
std::optional<std::uint64_t> offset_of(Function function) {
  Sought sought{reinterpret_cast<std::uintptr_t>(function), std::nullopt};
  dl_iterate_phdr(
      [](dl_phdr_info* file, std::size_t, void* context) {
        auto& wanted = *static_cast<Sought*>(context);
        for (int i = 0; i < file->dlpi_phnum; ++i) {
          const auto& segment = file->dlpi_phdr[i];
          const std::uintptr_t at = wanted.address - file->dlpi_addr - segment.p_vaddr;
          if (segment.p_type == PT_LOAD && at < segment.p_filesz) wanted.offset = segment.p_offset + at;
        }
        return 1;  // the first is the program itself
      },
      &sought);
  return sought.offset;
}

double per_call_ns(Function function) {
  std::array<double, kRounds> rounds{};
  for (double& round : rounds) {
    const std::uint64_t began = boot_now_ns();
    for (int i = 0; i < kCalls; ++i) function();
    round = static_cast<double>(boot_now_ns() - began) / kCalls;
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

Result<double> cost_of(bpf_program* program, Function function) {
  const auto offset = offset_of(function);
  if (!offset) return failure(ErrorKind::failed, "this program's own file cannot be made out");
  const double without = per_call_ns(function);
  LIBBPF_OPTS(bpf_uprobe_opts, options);
  const Link link(bpf_program__attach_uprobe_opts(program, getpid(), "/proc/self/exe", *offset, &options));
  if (!link)
    return failure(ErrorKind::unsupported, std::string("a probe cannot be placed: ") + std::strerror(errno));
  return std::max(0.0, per_call_ns(function) - without);
}

#endif

}  // namespace

Result<SiteCosts> measure_site_costs() {
#if defined(__x86_64__)
  set_libbpf_log(false);
  Skeleton skeleton(connleak_bpf__open());
  if (!skeleton) return failure(ErrorKind::unsupported, std::strerror(errno));
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj)
      bpf_program__set_autoload(program, program == skeleton->progs.uprobe__driver);
  if (const int code = connleak_bpf__load(skeleton.get()); code != 0)
    return failure(ErrorKind::unsupported, std::string("the program is not taken: ") + std::strerror(-code));
  const auto emulated = cost_of(skeleton->progs.uprobe__driver, connleak_emulated);
  if (!emulated) return tl::unexpected<Error>(emulated.error());
  const auto stepped = cost_of(skeleton->progs.uprobe__driver, connleak_stepped);
  if (!stepped) return tl::unexpected<Error>(stepped.error());
  return SiteCosts{*emulated, *stepped};
#else
  return failure(ErrorKind::unsupported, "probes are placed on x86-64 only");
#endif
}

}  // namespace connleak
