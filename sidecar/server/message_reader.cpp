#include "sidecar/server/message_reader.hpp"

#include <fmt/format.h>
#include <string>

namespace mailid::server {

using smtp::make_reply;

std::size_t MessageReader::feed(std::string_view bytes, std::uint64_t limit) {
  std::string octets;
  octets.reserve(bytes.size() + 1);
  const auto taken = reader_.feed(bytes, octets);
  received_ += taken;
  keep(octets, limit);
  return taken;
}

void MessageReader::keep(std::string_view octets, std::uint64_t limit) {
  if (refusal_) return;
  refusal_ = trouble_with(octets, limit);
  if (refusal_) body_ = spool::Body(*disk_, *memory_);
}

std::optional<MessageReader::Refusal> MessageReader::trouble_with(std::string_view octets,
                                                                  std::uint64_t limit) {
  using catalogue::Reason;
  if (reader_.saw_nul()) {
    return Refusal{make_reply(554, "5.6.0", "The message holds NUL, which mail can't carry"),
                   Reason::MessageRejected};
  }
  if (body_.size() + octets.size() > limit) {
    return Refusal{make_reply(552, "5.3.4", fmt::format("Message larger than {} octets", limit)),
                   Reason::MessageTooLarge};
  }
  if (const auto kept = body_.append(octets); !kept) {
    return Refusal{make_reply(452, "4.3.1", catalogue::describe(kept.error())), Reason::DiskFull};
  }
  return std::nullopt;
}

}  // namespace mailid::server
