// SPDX-License-Identifier: Apache-2.0
#include "probes/scans.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "wire.h"

namespace connleak {
namespace {

// The kernel's own buffer of an iterator is 8 pages: a larger one of ours holds several of its fillings.
constexpr std::size_t kBufferSize = std::size_t{256} * 1024;

std::size_t whole_records(std::span<const std::byte> bytes) {
  std::size_t at = 0;
  wire_header header{};
  while (bytes.size() - at >= sizeof header) {
    std::memcpy(&header, bytes.data() + at, sizeof header);
    if (header.size < sizeof header || header.size > bytes.size() - at) break;
    at += header.size;
  }
  return at;
}

}  // namespace

Result<void> read_iterator(const bpf_link* link, ByteSink& sink) {
  const Fd fd(bpf_iter_create(bpf_link__fd(link)));
  if (!fd)
    return failure(ErrorKind::failed, std::string("A scan cannot be started: ") + std::strerror(errno) + ".");
  std::vector<std::byte> buffer(kBufferSize);
  // Captured stacks come by here.
  const std::unique_ptr<std::vector<std::byte>, void (*)(std::vector<std::byte>*)> wiped(
      &buffer, [](std::vector<std::byte>* bytes) { explicit_bzero(bytes->data(), bytes->size()); });
  std::size_t held = 0;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data() + held, buffer.size() - held);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return failure(ErrorKind::failed, std::string("A scan broke off: ") + std::strerror(errno) + ".");
    if (got == 0) return {};
    held += static_cast<std::size_t>(got);
    const std::size_t whole = whole_records(std::span(buffer).first(held));
    if (whole == 0) continue;
    sink.records(std::span<const std::byte>(buffer).first(whole));
    std::memmove(buffer.data(), buffer.data() + whole, held - whole);
    held -= whole;
  }
}

}  // namespace connleak
