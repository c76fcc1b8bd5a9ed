// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "interpreters/script_process.hpp"
#include "symbols/perf_map.hpp"
#include "symbols/perf_names.hpp"
#include "symbols/process_files.hpp"

namespace connleak {
namespace {

using test::ScriptProcess;

// A file without a name that others can write to.
class Written {
 public:
  explicit Written(const std::string& text) { add(text); }
  ~Written() { ::unlink(path_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  void add(const std::string& text) const {
    REQUIRE(::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void empty() const {
    REQUIRE(::ftruncate(fd_.get(), 0) == 0);
    REQUIRE(::lseek(fd_.get(), 0, SEEK_SET) == 0);
  }
  void remove() const { ::unlink(path_); }
  [[nodiscard]] Fd open() const { return Fd(::open(path_, O_RDONLY | O_CLOEXEC)); }

 private:
  char path_[32] = "/tmp/connleak_perf_XXXXXX";
  Fd fd_ = Fd(::mkstemp(path_));
};

std::string name_at(const PerfMap& map, std::uint64_t address) {
  const auto frame = map.lookup(address);
  return frame ? frame->function.value_or("?") : "";
}

std::string described(std::string_view name) {
  const SymbolFrame frame = perf_name_frame(name);
  return fmt::format("{}|{}|{}|{}|{}", static_cast<int>(frame.language), frame.function.value_or("?"),
                     frame.file.value_or(""), frame.line ? std::to_string(*frame.line) : "", frame.module);
}

TEST_CASE("perf map: names of V8", "[perf_map]") {
  CHECK(described("LazyCompile:*queryOrders /app/server.js:12:9") == "7|queryOrders|/app/server.js|12|server.js");
  CHECK(described("JS:~handler /srv/app.js:40:22") == "7|handler|/srv/app.js|40|app.js");
  CHECK(described("Function:^get total /srv/my app.js:4:2") == "7|get total|/srv/my app.js|4|my app.js");
  CHECK(described("JS:+ file:///srv/app.mjs:1:1") == "7|(anonymous)|/srv/app.mjs|1|app.mjs");
  CHECK(described("Function:old /srv/old.js:7") == "7|old|/srv/old.js|7|old.js");
  CHECK(described("JS:*run node:internal/timers:537:11") == "7|run|node:internal/timers|537|timers");
  CHECK(described("JS:*parse native json.js:3:1") == "7|parse|native json.js|3|native json.js");
  CHECK(described("Script:~ [eval]:1:1") == "7|(anonymous)|[eval]|1|[eval]");
  CHECK(described("JS:*lonely") == "7|lonely|||[javascript]");
  CHECK(described("JS:") == "7|(anonymous)|||[javascript]");
  CHECK(described("JS:*zero /a.js:0:0") == "7|zero|/a.js||a.js");
  CHECK(described("JS:*far /a.js:99999999999999999999:1") ==
        "7|far|/a.js:99999999999999999999|1|a.js:99999999999999999999");
  CHECK(described("Builtin:ArrayMap") == "7|Builtin:ArrayMap|||[javascript]");
}

TEST_CASE("perf map: names of Java", "[perf_map]") {
  CHECK(described("Lcom/acme/Orders;::find") == "8|com.acme.Orders.find|||[java]");
  CHECK(described("long com.acme.Orders.find(long)") == "8|com.acme.Orders.find|||[java]");
  CHECK(described("com.acme.Orders.find(java.lang.String, int[])") == "8|com.acme.Orders.find|||[java]");
  CHECK(described("java.lang.Object[] java.util.ArrayList.toArray()") == "8|java.util.ArrayList.toArray|||[java]");
  CHECK(described("void com.acme.Orders.<init>()") == "8|com.acme.Orders.<init>|||[java]");
  CHECK(described("Lexer Lexer.get()") == "8|Lexer.get|||[java]");
  CHECK(described("long app.Hot$$Lambda$1/0x00007f4e34000a08.applyAsLong(long)") ==
        "8|app.Hot$$Lambda$1.applyAsLong|||[java]");
}

TEST_CASE("perf map: what is neither keeps its name and has no language", "[perf_map]") {
  CHECK(described("StubRoutines (1)") == "0|StubRoutines (1)|||[jit]");
  CHECK(described("I2C/C2I adapters") == "0|I2C/C2I adapters|||[jit]");
  CHECK(described("void [App] App.Orders::Find(string)[Optimized]") ==
        "0|void [App] App.Orders::Find(string)[Optimized]|||[jit]");
  CHECK(described("L;::") == "0|L;::|||[jit]");
  CHECK(described("(") == "0|(|||[jit]");
  CHECK(described("a()") == "0|a()|||[jit]");
}

TEST_CASE("perf map: lines that are none are left out", "[perf_map]") {
  const Written file(
      "1000 10 one\n"
      "0x2000 0x10 two\n"
      "3000 0 empty\n"
      "fffffffffffffff0 20 around the end\n"
      "10000000000000000 10 too far\n"
      "4000 -10 negative\n"
      "5000\n"
      "6000 10\n"
      "7000 10 \n"
      "zzz\n"
      "\n"
      "fffffffffffffff0 f up to the end\n"
      "8000 10 not yet ended");
  const PerfMap map(file.open());
  CHECK(map.size() == 3);
  CHECK(name_at(map, 0x1000) == "one");
  CHECK(name_at(map, 0x100f) == "one");
  CHECK(name_at(map, 0x1010).empty());
  CHECK(name_at(map, 0xfff).empty());
  CHECK(name_at(map, 0x2001) == "two");
  CHECK(name_at(map, 0x3000).empty());
  CHECK(name_at(map, 0xfffffffffffffff0) == "up to the end");
  CHECK(name_at(map, 0).empty());
}

TEST_CASE("perf map: where functions overlap the later one is there", "[perf_map]") {
  for (const int more : {0, 3000}) {  // looked through, and sorted
    std::string text =
        "1000 100 first\n"
        "1040 20 inside\n"
        "10f0 20 across\n"
        "1000 8 at the start\n"
        "2000 10 below\n"
        "1ff0 100 above\n";
    for (int i = 0; i < more; ++i) text += fmt::format("{:x} 10 other{}\n", 0x10000 + i * 16, i);
    const Written file(text);
    const PerfMap map(file.open());
    CAPTURE(more);
    CHECK(name_at(map, 0x1000) == "at the start");
    CHECK(name_at(map, 0x1008) == "first");
    CHECK(name_at(map, 0x1040) == "inside");
    CHECK(name_at(map, 0x1060) == "first");
    CHECK(name_at(map, 0x10ef) == "first");
    CHECK(name_at(map, 0x10f0) == "across");
    CHECK(name_at(map, 0x110f) == "across");
    CHECK(name_at(map, 0x1110).empty());
    CHECK(name_at(map, 0x2000) == "above");
    CHECK(name_at(map, 0x20ef) == "above");
    if (more > 0) CHECK(name_at(map, 0x10000 + 16 * 2999) == "other2999");
  }
}

TEST_CASE("perf map: sorted and looked through give the same", "[perf_map]") {
  std::mt19937 random(7);
  struct Line {
    std::uint64_t start, size;
  };
  std::vector<Line> lines;
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    lines.push_back({random() % 20000, 1 + random() % (i % 50 == 0 ? 5000 : 20)});
    text += fmt::format("{:x} {:x} f{}\n", lines.back().start, lines.back().size, i);
  }
  const Written file(text);
  const PerfMap map(file.open());
  for (std::uint64_t address = 0; address < 26000; address += 3) {
    std::string expected;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (address >= lines[i].start && address - lines[i].start < lines[i].size) expected = fmt::format("f{}", i);
    }
    if (name_at(map, address) != expected) FAIL(fmt::format("{:x} is not {}", address, expected));
  }
}

TEST_CASE("perf map: read on where it grew, anew where it was written anew", "[perf_map]") {
  const Written file("1000 10 one\n2000 10 tw");
  PerfMap map(file.open());
  CHECK(name_at(map, 0x2000).empty());
  file.add("o\n");
  CHECK(map.refresh());
  CHECK(name_at(map, 0x2000) == "two");
  file.empty();
  file.add("3000 10 a new one, and longer than what was there before\n");
  CHECK(map.refresh());
  CHECK(name_at(map, 0x1000).empty());
  CHECK(name_at(map, 0x3000).starts_with("a new one"));
  file.empty();
  CHECK(map.refresh());
  CHECK(map.size() == 0);
  file.remove();
  CHECK_FALSE(map.refresh());
}

TEST_CASE("perf map: garbage and size are survived", "[perf_map]") {
  std::mt19937 random(11);
  std::string garbage(std::size_t{3} << 20, '\0');
  for (char& c : garbage)
    c = static_cast<char>(random() % 8 == 0 ? "0123456789abcdef \n:/(L;"[random() % 23] : random());
  const Written noise(garbage);
  CHECK(PerfMap(noise.open()).size() < 100'000);
  const Written one_line(std::string(std::size_t{3} << 20, 'a'));
  PerfMap map(one_line.open());
  CHECK(map.size() == 0);
  one_line.add("\n1000 10 after\n");
  CHECK(map.refresh());
  CHECK(name_at(map, 0x1000) == "after");
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::string name("LazyCompile:*queryOrders /app/server.js:12:9");
    if (seed % 2 == 0) name = "long com.acme.Orders$$Lambda$1/0x7f.find(long)";
    for (int i = 0; i < 4; ++i) name[random() % name.size()] = "\0 :/(.;L[\xff"[random() % 10];
    (void)perf_name_frame(std::string_view(name).substr(random() % name.size()));
  }
}

TEST_CASE("perf map: no more functions and bytes than allowed", "[perf_map]") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += fmt::format("{:x} 10 f{}\n", i * 16, i);
  const Written file(text);
  const PerfMap few(file.open(), {.bytes = 1 << 20, .functions = 2500});
  CHECK(few.size() == 2500);
  CHECK(name_at(few, 2499 * 16) == "f2499");
  CHECK(name_at(few, 2500 * 16).empty());
  PerfMap part(file.open(), {.bytes = 1000, .functions = 2500});
  CHECK(part.size() > 50);
  CHECK(part.size() < 125);
  const auto size = part.size();
  CHECK(part.refresh());
  CHECK(part.size() == size);
}

TEST_CASE("perf map: a link, a pipe and a folder are not opened", "[perf_map]") {
  const ScriptProcess process({"/bin/sh", "-c", "read line"});
  const Fd directory = open_process(static_cast<std::uint32_t>(process.pid()), 0);
  const std::string path = fmt::format("/tmp/perf-{}.map", process.pid());
  CHECK_FALSE(PerfMap::open(directory));
  REQUIRE(::symlink("/etc/passwd", path.c_str()) == 0);
  CHECK_FALSE(PerfMap::open(directory));
  ::unlink(path.c_str());
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_FALSE(PerfMap::open(directory));
  ::unlink(path.c_str());
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  CHECK_FALSE(PerfMap::open(directory));
  ::rmdir(path.c_str());
  std::ofstream(path) << "1000 10 mine\n";
  CHECK(PerfMap::open(directory));
  if (::geteuid() == 0) {
    REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
    CHECK_FALSE(PerfMap::open(directory));
  }
  ::unlink(path.c_str());
}

TEST_CASE("perf map: functions of a real node", "[perf_map]") {
  const auto node = test::program_path("node");
  if (!node) SKIP("node is not installed");
  // V8 writes a log into the folder it is in, too.
  char folder[] = "/tmp/connleak_node_XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string command =
      fmt::format("cd {} && exec {} --perf-basic-prof {}", folder, *node, test::script_path("hot.js"));
  ScriptProcess process({"/bin/sh", "-c", command});
  test::SaidPlace said;
  REQUIRE(process.next(said));
  // Compiling goes on: the lines first, then the map that must have them.
  std::ifstream file(fmt::format("/tmp/perf-{}.map", process.pid()));
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.resize(text.rfind('\n') + 1);
  std::istringstream written(text);
  const auto map = PerfMap::open(open_process(static_cast<std::uint32_t>(process.pid()), 0));
  REQUIRE(map);
  std::set<test::SaidScriptFrame> seen;
  for (std::string line; std::getline(written, line);) {
    const auto frame = map->lookup(std::stoull(line, nullptr, 16));
    REQUIRE(frame);
    CHECK(frame->language == Language::javascript);
    seen.insert(test::as_said({*frame}).front());
  }
  REQUIRE_FALSE(said.frames.empty());
  for (const auto& expected : said.frames) {
    INFO(test::to_text({expected}));
    CHECK(seen.contains(expected));
  }
  ::unlink(fmt::format("/tmp/perf-{}.map", process.pid()).c_str());
  std::filesystem::remove_all(folder);
}

TEST_CASE("perf map: functions of a real java", "[perf_map]") {
  const auto java = test::program_path("java");
  const auto jcmd = test::program_path("jcmd");
  if (!java || !jcmd) SKIP("java and jcmd are not installed");
  ScriptProcess process({*java, test::script_path("Hot.java")});
  test::SaidPlace said;
  REQUIRE(process.next(said));
  const auto command = fmt::format("{} {} Compiler.perfmap >/dev/null 2>&1", *jcmd, process.pid());
  if (std::system(command.c_str()) != 0) SKIP("this jcmd has no Compiler.perfmap: it is older than 17");
  const auto map = PerfMap::open(open_process(static_cast<std::uint32_t>(process.pid()), 0));
  REQUIRE(map);
  std::ifstream written(fmt::format("/tmp/perf-{}.map", process.pid()));
  int found = 0;
  int java_frames = 0;
  for (std::string line; std::getline(written, line);) {
    const auto frame = map->lookup(std::stoull(line, nullptr, 16));
    REQUIRE(frame);
    if (frame->language == Language::java) ++java_frames;
    if (frame->function == "app.Hot.find") ++found;
  }
  CHECK(found > 0);
  CHECK(java_frames > 50);
  ::unlink(fmt::format("/tmp/perf-{}.map", process.pid()).c_str());
}

}  // namespace
}  // namespace connleak
