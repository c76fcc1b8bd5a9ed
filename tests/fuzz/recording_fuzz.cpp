// SPDX-License-Identifier: Apache-2.0
// Any file is refused or read to an end.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <utility>

#include "events/recording.hpp"
#include "fuzz.hpp"
#include "wire_builder.hpp"

using namespace connleak;

namespace {

Fd memory_file() {
  Fd fd(::memfd_create("fuzz", MFD_CLOEXEC));
  if (!fd) std::abort();
  return fd;
}

Fd again(const Fd& fd) {
  Fd copy(::dup(fd.get()));
  if (!copy || ::lseek(copy.get(), 0, SEEK_SET) != 0) std::abort();
  return copy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Fd fd = memory_file();
  if (::write(fd.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto source = RecordingSource::open(again(fd), "fuzz");
  if (!source) {
    if (source.error().kind != ErrorKind::usage) std::abort();
    return 0;
  }
  test::Collector collector;
  Decoder decoder(collector);
  for (;;) {
    const auto state = (*source)->poll(decoder, std::chrono::milliseconds(0));
    if (!state) std::abort();
    if (*state != SourceState::more) return 0;
  }
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  const Fd fd = memory_file();
  auto writer = RecordingWriter::create(again(fd), "fuzz", Preamble{"0.1.0", "host", "6.18", 1, 2, true});
  if (!writer) std::abort();
  for (const Event& event : test::one_of_each()) {
    (*writer)->records(encode(event));
    if (event.time_ns % 3 == 0) (*writer)->flush();
  }
  if (!(*writer)->finish()) std::abort();
  std::vector<std::uint8_t> seed(static_cast<std::size_t>(::lseek(fd.get(), 0, SEEK_END)));
  if (::pread(fd.get(), seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) std::abort();
  return {seed};
}
