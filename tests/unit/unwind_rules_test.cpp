// SPDX-License-Identifier: Apache-2.0
// Rows of call frame information: rules, expressions, and the programs that make them.
#include <dwarf.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <initializer_list>

#include "unwind/cursor.hpp"
#include "unwind/frame_program.hpp"
#include "unwind/frame_rules.hpp"

using namespace connleak;
using Kind = FrameRule::Kind;

namespace {

constexpr std::uint64_t kStack = 0x7fff'0000;

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// Word i has the value 100 + i.
struct Words {
  explicit Words(std::size_t count) : words(count) {
    for (std::size_t i = 0; i < count; ++i) words[i] = 100 + i;
  }
  [[nodiscard]] StackMemory memory() const { return {kStack, std::as_bytes(std::span(words))}; }
  std::vector<std::uint64_t> words;
};

FrameRow usual_row(std::int64_t frame_offset) {
  FrameRow row;
  row.frame_address = {Kind::register_offset, kSp, 0, frame_offset};
  row.registers[kReturnAddress] = {Kind::at_offset, 0, 0, -8};
  row.registers[kBx].kind = Kind::same;
  return row;
}

void set_expression(FrameRow& row, FrameRule& rule, Kind kind, std::initializer_list<unsigned> expression) {
  rule = {kind, 0, static_cast<std::uint16_t>(expression.size()),
          static_cast<std::int64_t>(row.expressions.size())};
  for (const unsigned value : expression) row.expressions.push_back(static_cast<std::byte>(value));
}

std::optional<std::uint64_t> evaluate(std::initializer_list<unsigned> expression) {
  FrameRow row = usual_row(16);
  set_expression(row, row.registers[kR12], Kind::expression, expression);
  const Words words(8);
  Registers registers;
  registers[kSp] = kStack;
  auto memory = words.memory();
  const auto caller = apply(row, registers, memory);
  REQUIRE(caller);
  return (*caller)[kR12];
}

FrameEntry entry_of(std::initializer_list<unsigned> common, std::initializer_list<unsigned> own) {
  FrameEntry entry;
  entry.start = 0x1000;
  entry.size = 0x100;
  entry.data_factor = -8;
  entry.return_address = kReturnAddress;
  entry.bytes = bytes(common);
  entry.common_end = entry.own_begin = entry.bytes.size();
  const auto rest = bytes(own);
  entry.bytes.insert(entry.bytes.end(), rest.begin(), rest.end());
  return entry;
}

// As every compiler begins: the frame's address is rsp + 8, the return address lies below it.
FrameEntry entry_of(std::initializer_list<unsigned> own) {
  return entry_of({DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1}, own);
}

}  // namespace

TEST_CASE("a row gives the caller's registers", "[unwind]") {
  const Words words(8);
  Registers registers;
  registers[kSp] = kStack;
  registers[kBx] = 7;
  registers[kBp] = 9;
  FrameRow row = usual_row(32);
  row.registers[kBp] = {Kind::at_offset, 0, 0, -16};
  row.registers[kR12] = {Kind::frame_offset, 0, 0, 4};
  row.registers[kR12 + 1] = {Kind::register_offset, kBp, 0, 1};
  auto memory = words.memory();
  const auto caller = apply(row, registers, memory);
  REQUIRE(caller);
  CHECK((*caller)[kSp] == kStack + 32);
  CHECK((*caller)[kReturnAddress] == 103U);
  CHECK((*caller)[kBp] == 102U);
  CHECK((*caller)[kBx] == 7U);
  CHECK((*caller)[kR12] == kStack + 36);
  CHECK((*caller)[kR12 + 1] == 10U);
  CHECK(!(*caller)[0]);
  CHECK(!memory.missed_above());
}

TEST_CASE("a row whose words were not captured gives nothing, and tells whether they lie above", "[unwind]") {
  const Words words(4);
  Registers registers;
  registers[kSp] = kStack;
  const auto missed = [&](const FrameRow& row) {
    auto memory = words.memory();
    CHECK(!apply(row, registers, memory));
    return memory.missed_above();
  };
  CHECK(missed(usual_row(40)));
  CHECK(missed(usual_row(36)));
  CHECK(!missed(usual_row(0)));
  CHECK(!missed(usual_row(std::int64_t{1} << 40)));
  // A register that is needed and not known is nothing that more of the stack would give.
  FrameRow row = usual_row(16);
  row.frame_address.base = kBp;
  CHECK(!missed(row));
  row = usual_row(16);
  row.registers[kReturnAddress] = {};
  CHECK(row.is_outermost());
  CHECK(!missed(row));
  row.return_address = kRegisters;
  CHECK(!row.is_outermost());
  CHECK(!missed(row));
}

TEST_CASE("the stack is read within what was captured only", "[unwind]") {
  const Words words(2);
  auto memory = words.memory();
  CHECK(memory.word(kStack) == 100U);
  CHECK(memory.word(kStack + 8) == 101U);
  for (const std::uint64_t at : {kStack - 1, std::uint64_t{0}, ~std::uint64_t{0}}) CHECK(!memory.word(at));
  CHECK(!memory.missed_above());
  CHECK(!memory.word(kStack + 9));
  CHECK(memory.missed_above());
  StackMemory nothing(kStack, {});
  CHECK(!nothing.word(kStack));
}

TEST_CASE("expressions compute what the rules of the linker's stubs need", "[unwind]") {
  // ((rip & 15) >= 11) << 3 + rsp + 8: of .plt.
  FrameRow row = usual_row(0);
  set_expression(row, row.frame_address, Kind::expression,
                 {DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3,
                  DW_OP_shl, DW_OP_plus});
  const Words words(8);
  Registers registers;
  registers[kSp] = kStack;
  for (const std::uint64_t at : {0x1020U, 0x102aU, 0x102bU, 0x102fU}) {
    registers[kReturnAddress] = at;
    auto memory = words.memory();
    const auto caller = apply(row, registers, memory);
    REQUIRE(caller);
    const bool has_pushed = at % 16 >= 11;
    CHECK((*caller)[kSp] == kStack + (has_pushed ? 16 : 8));
    CHECK((*caller)[kReturnAddress] == (has_pushed ? 101U : 100U));
  }
}

TEST_CASE("an expression of a register begins with the frame's address", "[unwind]") {
  CHECK(evaluate({DW_OP_nop}) == kStack + 16);
  CHECK(evaluate({DW_OP_plus_uconst, 0x80, 1}) == kStack + 16 + 128);
  CHECK(evaluate({DW_OP_call_frame_cfa, DW_OP_minus}) == 0U);
  CHECK(evaluate({DW_OP_breg7, 0x78}) == kStack - 8);
  CHECK(evaluate({DW_OP_bregx, 7, 8, DW_OP_deref}) == 101U);
  CHECK(evaluate({DW_OP_const1s, 0xff, DW_OP_plus}) == kStack + 15);
  CHECK(evaluate({DW_OP_const2u, 0xff, 0xff}) == 0xffffU);
  CHECK(evaluate({DW_OP_const4s, 0xff, 0xff, 0xff, 0xff}) == ~std::uint64_t{0});
  CHECK(evaluate({DW_OP_lit5, DW_OP_lit3, DW_OP_mul, DW_OP_lit1, DW_OP_shr}) == 7U);
  CHECK(evaluate({DW_OP_lit1, DW_OP_lit2, DW_OP_lt}) == 1U);
}

TEST_CASE("an expression that makes no sense gives nothing", "[unwind][hostile]") {
  CHECK(!evaluate({DW_OP_drop}));
  CHECK(!evaluate({DW_OP_drop, DW_OP_drop}));
  CHECK(!evaluate({DW_OP_plus}));
  CHECK(!evaluate({DW_OP_drop, DW_OP_deref}));
  CHECK(!evaluate({DW_OP_lit1, DW_OP_deref}));
  CHECK(!evaluate({DW_OP_breg3, 0}));
  CHECK(!evaluate({DW_OP_breg31, 0}));
  CHECK(!evaluate({DW_OP_const4u, 1}));
  CHECK(!evaluate({DW_OP_plus_uconst, 0x80}));
  CHECK(!evaluate({DW_OP_constu, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}));
  CHECK(!evaluate({DW_OP_skip, 0xfd, 0xff}));
  CHECK(
      !evaluate({DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup,
                 DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup, DW_OP_dup}));
  FrameRow row = usual_row(16);
  row.registers[kR12] = {Kind::expression, 0, 4, 1000};
  const Words words(8);
  auto memory = words.memory();
  Registers registers;
  registers[kSp] = kStack;
  const auto caller = apply(row, registers, memory);
  REQUIRE(caller);
  CHECK(!(*caller)[kR12]);
}

TEST_CASE("a program gives the row of each instruction", "[unwind]") {
  // push rbx; sub rsp, 32; ...; add rsp, 32; pop rbx; ret; and what lies behind.
  const FrameEntry entry = entry_of({DW_CFA_advance_loc | 1,
                                     DW_CFA_def_cfa_offset,
                                     16,
                                     DW_CFA_offset | 3,
                                     2,
                                     DW_CFA_advance_loc1,
                                     4,
                                     DW_CFA_def_cfa_offset,
                                     48,
                                     DW_CFA_advance_loc2,
                                     0x20,
                                     0,
                                     DW_CFA_remember_state,
                                     DW_CFA_def_cfa_offset,
                                     16,
                                     DW_CFA_advance_loc | 1,
                                     DW_CFA_def_cfa_offset,
                                     8,
                                     DW_CFA_restore | 3,
                                     DW_CFA_advance_loc4,
                                     1,
                                     0,
                                     0,
                                     0,
                                     DW_CFA_restore_state});
  struct Expected {
    std::uint64_t at;
    std::int64_t offset;
    Kind bx;
  };
  for (const Expected& expected : {Expected{0x1000, 8, Kind::same},
                                   {0x1001, 16, Kind::at_offset},
                                   {0x1005, 48, Kind::at_offset},
                                   {0x1024, 48, Kind::at_offset},
                                   {0x1025, 16, Kind::at_offset},
                                   {0x1026, 8, Kind::same},
                                   {0x1027, 48, Kind::at_offset},
                                   {0x10ff, 48, Kind::at_offset}}) {
    CAPTURE(expected.at);
    const auto row = row_at(entry, expected.at);
    REQUIRE(row);
    CHECK(row->frame_address.kind == Kind::register_offset);
    CHECK(row->frame_address.base == kSp);
    CHECK(row->frame_address.offset == expected.offset);
    CHECK(row->registers[kBx].kind == expected.bx);
    CHECK(row->registers[kReturnAddress].offset == -8);
    CHECK(row->registers[0].kind == Kind::undefined);
    CHECK(row->registers[kR12].kind == Kind::same);
    if (expected.bx == Kind::at_offset) CHECK(row->registers[kBx].offset == -16);
  }
}

TEST_CASE("every instruction of a program is understood", "[unwind]") {
  const auto row = row_at(entry_of({DW_CFA_def_cfa_sf,
                                    6,
                                    0x7e,
                                    DW_CFA_offset_extended_sf,
                                    12,
                                    0x7d,
                                    DW_CFA_offset_extended,
                                    13,
                                    2,
                                    DW_CFA_val_offset,
                                    14,
                                    1,
                                    DW_CFA_val_offset_sf,
                                    15,
                                    0x7f,
                                    DW_CFA_register,
                                    3,
                                    6,
                                    DW_CFA_expression,
                                    6,
                                    2,
                                    DW_OP_breg7,
                                    8,
                                    DW_CFA_val_expression,
                                    0,
                                    1,
                                    DW_OP_lit1,
                                    DW_CFA_GNU_args_size,
                                    16,
                                    DW_CFA_offset | 40,
                                    1,
                                    DW_CFA_undefined,
                                    16,
                                    DW_CFA_restore_extended,
                                    16,
                                    DW_CFA_same_value,
                                    1,
                                    DW_CFA_def_cfa_register,
                                    7,
                                    DW_CFA_def_cfa_offset_sf,
                                    0x7d,
                                    DW_CFA_nop}),
                          0x1000);
  REQUIRE(row);
  CHECK(row->frame_address.base == kSp);
  CHECK(row->frame_address.offset == 24);
  CHECK(row->registers[12].offset == 24);
  CHECK(row->registers[13].offset == -16);
  CHECK(row->registers[14].kind == Kind::frame_offset);
  CHECK(row->registers[14].offset == -8);
  CHECK(row->registers[15].offset == 8);
  CHECK(row->registers[3].kind == Kind::register_offset);
  CHECK(row->registers[3].base == kBp);
  CHECK(row->registers[6].kind == Kind::at_expression);
  CHECK(row->registers[0].kind == Kind::expression);
  CHECK(row->expressions.size() == 3);
  CHECK(row->registers[1].kind == Kind::same);
  CHECK(!row->is_outermost());
}

TEST_CASE("a program that makes no sense has no row", "[unwind][hostile]") {
  CHECK(!row_at(entry_of({DW_CFA_restore_state}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_def_cfa, 200, 8}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_def_cfa, 0x80}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_register, 3, 99}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_def_cfa_expression, 50, DW_OP_lit1}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_expression, 16, 0}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_def_cfa_expression, 1, DW_OP_lit1, DW_CFA_def_cfa_offset, 8}), 0x1000));
  CHECK(!row_at(entry_of({DW_CFA_def_cfa_expression, 1, DW_OP_lit1, DW_CFA_def_cfa_register, 7}), 0x1000));
  CHECK(!row_at(entry_of({0x3f}), 0x1000));
  // Behind the address nothing matters.
  CHECK(row_at(entry_of({DW_CFA_advance_loc | 1, 0x3f}), 0x1000));
  // Registers that do not exist, one of them with a number that would take gigabytes, are nobody's business.
  CHECK(row_at(entry_of({DW_CFA_offset_extended, 0xff, 0xff, 0xff, 0x2a, 1}), 0x1000));
  FrameEntry entry = entry_of({});
  entry.bytes.resize(entry.bytes.size() + 100'000, static_cast<std::byte>(DW_CFA_remember_state));
  CHECK(!row_at(entry, 0x1000));
  // A state that nothing was said of is no frame's address.
  const auto row = row_at(entry_of({}, {}), 0x1000);
  REQUIRE(row);
  const Words words(8);
  auto memory = words.memory();
  Registers registers;
  registers[kSp] = kStack;
  CHECK(!apply(*row, registers, memory));
}

TEST_CASE("numbers are read to the end and not beyond", "[unwind][hostile]") {
  const auto read = [](std::initializer_list<unsigned> values) {
    const auto data = bytes(values);
    Cursor cursor{std::span<const std::byte>(data)};
    const std::int64_t value = cursor.signed_leb();
    return cursor.is_good() ? std::optional(value) : std::nullopt;
  };
  CHECK(read({0x7f}) == -1);
  CHECK(read({0xff, 0}) == 127);
  CHECK(read({0x80, 0x7f}) == -128);
  CHECK(read({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}) == -1);
  CHECK(!read({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}));
  CHECK(!read({}));
  CHECK(!read({0x80}));
  const auto data = bytes({1, 2, 3});
  Cursor cursor{std::span<const std::byte>(data)};
  CHECK(cursor.take(~std::uint64_t{0}).empty());
  CHECK(!cursor.is_good());
  CHECK(cursor.number<std::uint8_t>() == 0);
}
