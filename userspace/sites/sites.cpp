// SPDX-License-Identifier: Apache-2.0
#include "sites/sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sites/kernel_rules.hpp"

namespace connleak {
namespace {

std::string at(const Instruction& instruction) {
  return fmt::format("{:#x} ({})", instruction.address, instruction.text());
}

// The way straight on through the code from a wanted place, looking for a site.
class Slide {
 public:
  struct Rules {
    RegisterSet wanted;
    Abi abi = Abi::system_v;
    bool pushes_only = false;  // behind the wanted place
  };
  Slide(const Code& code, std::size_t from, const Rules& rules)
      : code_(code), way_(code.instructions().subspan(from)), rules_(rules) {}

  Result<Site> find() {
    for (const Instruction& instruction : way_) {
      if (&instruction != way_.data() && code_.is_target(instruction.address)) {
        end_ = fmt::format("{} can be reached otherwise", at(instruction));
        break;
      }
      if (consider(instruction)) return take(instruction, moved_);
      if (const auto why = obstacle(instruction)) {
        end_ = fmt::format("{} {}", at(instruction), *why);
        break;
      }
      moved_ -= instruction.moves_stack.value_or(0);
    }
    if (stepped_ != nullptr) {
      Site site = take(*stepped_, stepped_moved_);
      site.emulated = false;
      site.obstacle = end_;
      return site;
    }
    return failure(ErrorKind::unsupported, forbidden_.empty() ? end_ : forbidden_);
  }

 private:
  // True: emulated. Keeps the first that would be stepped.
  bool consider(const Instruction& instruction) {
    if (rules_.pushes_only && &instruction != way_.data() && instruction.kind != InstructionKind::push)
      return false;
    Ruling ruling = rule_on(instruction);
    // Kernels that push the return address themselves, but not onto the shadow stack, end a program that has one.
    // Go's have none.
    if (instruction.kind == InstructionKind::call && rules_.abi != Abi::go)
      ruling = {Handling::forbidden, "it is a call, which some kernels leave off a shadow stack"};
    switch (ruling.handling) {
      case Handling::emulated:
        return true;
      case Handling::stepped:
        if (stepped_ == nullptr) {
          stepped_ = &instruction;
          stepped_moved_ = moved_;
        }
        return false;
      case Handling::forbidden:
        if (forbidden_.empty())
          forbidden_ = fmt::format("a probe cannot be placed at {}, as {}", at(instruction), ruling.reason);
        return false;
    }
    return false;
  }

  // What keeps the way from going on behind an instruction, after its address.
  [[nodiscard]] std::optional<std::string> obstacle(const Instruction& instruction) const {
    if (instruction.kind != InstructionKind::plain && instruction.kind != InstructionKind::nop)
      return "does not just go on to the next instruction";
    if (const auto lost = instruction.writes.common(rules_.wanted))
      return fmt::format("changes {}", name_of(*lost));
    if (instruction.stores) return "writes to memory";
    if (instruction.writes.contains(Register::sp) && !instruction.moves_stack) return "changes rsp";
    // Adjusts between calls are some hundred bytes; a hostile file's sum must not overflow.
    if (std::abs(moved_) > kMaxMove || std::abs(std::int64_t{instruction.moves_stack.value_or(0)}) > kMaxMove)
      return "moves the stack too far";
    return std::nullopt;
  }

  [[nodiscard]] Site take(const Instruction& instruction, std::int64_t moved) const {
    Site site;
    site.address = instruction.address;
    site.bytes.assign(instruction.code().begin(), instruction.code().end());
    site.instruction = instruction.text();
    site.emulated = true;
    site.slid = static_cast<std::uint32_t>(instruction.address - way_.front().address);
    site.stack_moved = static_cast<std::int32_t>(moved);
    return site;
  }

  static constexpr std::int64_t kMaxMove = 1 << 20;

  const Code& code_;
  std::span<const Instruction> way_;
  Rules rules_;
  std::int64_t moved_ = 0;  // rsp is so much lower
  const Instruction* stepped_ = nullptr;
  std::int64_t stepped_moved_ = 0;
  std::string forbidden_;  // why the first was, that was
  std::string end_ = "the function ends before a place for a probe";
};

Result<Site> placed(const ElfImage& image, Result<Site> site) {
  if (!site) return site;
  const auto offset = image.offset_of_address(site->address);
  if (!offset) return failure(ErrorKind::unsupported, fmt::format("{:#x} is not in the file", site->address));
  site->offset = *offset;
  return site;
}

}  // namespace

Result<Site> entry_site(const ElfImage& image, const FunctionRange& function, RegisterSet wanted, Abi abi) {
  const auto code = Code::read(image, function);
  if (!code) return tl::unexpected(code.error());
  // Jumps whose targets are not known: Go's compiler leads none before the function's own code; C's could lead
  // into a loop there, but what leads to a push, which has to be undone, is a call.
  const bool pushes_only = abi != Abi::go && code->computed_jump() != nullptr;
  auto site = placed(image, Slide(*code, 0, {wanted, abi, pushes_only}).find());
  if (site) site->may_repeat = code->is_target(function.address);
  return site;
}

Result<std::vector<CallSite>> after_call_sites(const ElfImage& image, const FunctionRange& function,
                                               std::uint64_t callee, RegisterSet wanted, Abi abi) {
  const auto code = Code::read(image, function);
  if (!code) return tl::unexpected(code.error());
  std::vector<CallSite> sites;
  const auto all = code->instructions();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind != InstructionKind::call || all[i].target != callee) continue;
    const auto skip = [&](std::string reason) {
      sites.push_back({all[i].address, failure(ErrorKind::unsupported, std::move(reason))});
    };
    if (i + 1 == all.size()) {
      skip("the function ends with the call");
    } else if (const Instruction* jump = code->computed_jump()) {
      skip(fmt::format("{} may lead behind the call, too", at(*jump)));
    } else if (code->is_target(all[i].end())) {
      skip(fmt::format("{} can be reached otherwise", at(all[i + 1])));
    } else {
      sites.push_back({all[i].address, placed(image, Slide(*code, i + 1, {wanted, abi}).find())});
    }
  }
  return sites;
}

Result<std::vector<Site>> return_sites(const ElfImage& image, const FunctionRange& function) {
  const auto code = Code::read(image, function);
  if (!code) return tl::unexpected(code.error());
  std::vector<Site> sites;
  const auto all = code->instructions();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Instruction& instruction = all[i];
    switch (instruction.kind) {
      case InstructionKind::jump:
      case InstructionKind::branch:
        if (instruction.target ? !function.contains(*instruction.target) : !instruction.by_table)
          return failure(ErrorKind::unsupported, fmt::format("{} may leave the function", at(instruction)));
        break;
      case InstructionKind::ret: {
        auto site = placed(image, Slide(*code, i, {{}, Abi::go}).find());
        if (!site) return tl::unexpected(site.error());
        sites.push_back(*std::move(site));
        break;
      }
      case InstructionKind::plain:
      case InstructionKind::nop:
      case InstructionKind::push:
      case InstructionKind::call:
      case InstructionKind::other:
        break;
    }
  }
  if (sites.empty()) return failure(ErrorKind::unsupported, "it never returns");
  return sites;
}

bool is_unchanged(const ElfImage& image, const Site& site) {
  std::vector<std::byte> now(site.bytes.size());
  return !now.empty() && image.read_at_offset(site.offset, now) == now.size() && now == site.bytes;
}

}  // namespace connleak
