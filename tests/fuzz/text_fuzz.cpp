// SPDX-License-Identifier: Apache-2.0
// Any text is a list of mappings, perhaps of none; any name demangles to one that is not much longer.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "symbols/application.hpp"
#include "symbols/demangle.hpp"
#include "symbols/maps.hpp"
#include "symbols/perf_names.hpp"

using namespace connleak;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entries = parse_maps(text);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (entries.size() > lines) std::abort();
  for (const MapsEntry& entry : entries)
    if (entry.start >= entry.end || entry.path.size() > size) std::abort();

  const auto name = demangle(std::string(text));
  if (name.name.size() > std::max<std::size_t>(size, 4096)) std::abort();
  SymbolFrame frame = perf_name_frame(text.substr(0, 4096));
  (void)is_application({}, frame);
  frame.file = std::string(text);
  (void)is_application({}, frame);
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (const std::string_view text :
       {"55d0c0a00000-55d0c0a02000 r-xp 00001000 fe:01 123456                     /srv/shop (deleted)\n"
        "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
        "7ffd5a3f2000-7ffd5a3f4000 r-xp 00000000 00:00 0                          [vdso]\n",
        "_ZN4shop4PoolIiE4takeEiPKcSt6vectorIS2_SaIS2_EE",
        "_ZNSt3mapISsSt4pairIKSsS1_ESt4lessISsESaIS0_IS1_S1_EEE6insertERKS5_",
        "_ZN4core3ptr13drop_in_place17h0123456789abcdefE.llvm.123",
        "_ZN52_$LT$shop..Cart$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
        "_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate", "take.constprop.0.isra.0.cold",
        "LazyCompile:*query /srv/app/node_modules/pg/lib/client.js:512:20", "Lcom/shop/Cart;::checkout"})
    seeds.emplace_back(text.begin(), text.end());
  return seeds;
}
