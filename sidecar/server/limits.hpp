#pragma once

#include <cstddef>

#include "common/base/clock.hpp"

namespace mailid::server {

/// What clients may take up, each of them and all together, and what they are offered.
struct Limits {
  std::size_t clients = 1024;         ///< open at once; one more gets 421 4.3.2
  base::Duration line_time{300'000};  ///< from our reply to the end of the next line (RFC 5321 4.5.3.2.7)
  base::Duration data_time{300'000};  ///< for a whole message, besides what its octets give at data_rate
  std::size_t data_rate = 500;        ///< octets a second that a client must keep up on average
  base::Duration reply_time{60'000};  ///< until the client has taken a reply
  std::size_t errors = 20;            ///< refused commands between two accepted messages; then 421 4.7.0
  std::size_t idle_commands =
      1000;  ///< NOOP, RSET, VRFY, EHLO... between two accepted messages; then 421 4.7.0
  std::size_t surplus_recipients = 1000;  ///< RCPT beyond the handler's limit in one session; then 421 4.7.0
  bool accept_auth = false;  ///< offer AUTH PLAIN LOGIN and take whatever comes, for apps that insist
};

}  // namespace mailid::server
