#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/budget.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/smtp/reply.hpp"
#include "sidecar/server/data_reader.hpp"
#include "sidecar/spool/body.hpp"

namespace mailid::server {

/// Takes one message between 354 and the final dot, and keeps it if it can be sent. Once something is wrong with it the
/// rest is read and dropped, so that the client hears why.
class MessageReader {
 public:
  /// Why a message can't be sent, for the client and for the log.
  struct Refusal {
    smtp::Reply reply;
    catalogue::Reason reason;
  };

  /// Keeps references to both.
  MessageReader(spool::Disk& disk, base::Budget& memory)
      : disk_(&disk), memory_(&memory), body_(disk, memory) {}

  /// Takes bytes up to the end of data and no further. Of a message larger than `limit` octets nothing is kept.
  /// @return how many bytes were taken: all of them unless the end has come
  std::size_t feed(std::string_view bytes, std::uint64_t limit);
  bool ended() const { return reader_.ended(); }
  /// Bytes that were taken.
  std::uint64_t received() const { return received_; }
  /// Why the message that has ended can't be sent; nothing where body() is whole.
  std::optional<Refusal> refusal() const { return refusal_; }
  const spool::Body& body() const { return body_; }

  /// Gives back what the message takes up, and is ready for the next one.
  void reset() { *this = MessageReader(*disk_, *memory_); }

 private:
  void keep(std::string_view octets, std::uint64_t limit);
  std::optional<Refusal> trouble_with(std::string_view octets, std::uint64_t limit);

  spool::Disk* disk_;
  base::Budget* memory_;
  DataReader reader_;
  spool::Body body_;
  std::optional<Refusal> refusal_;
  std::uint64_t received_ = 0;
};

}  // namespace mailid::server
