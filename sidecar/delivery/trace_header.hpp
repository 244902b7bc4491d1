#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "sidecar/delivery/message_header.hpp"

namespace mailid::delivery {

/// `Tue, 24 Nov 2026 05:06:07 +0000`: RFC 5322 section 3.3, in UTC.
std::string format_mail_date(base::Time time);

/// What is particular to one message in what we add to it.
struct Trace {
  std::string_view id;  ///< ours, also in the log
  base::Time now;
  std::string_view mailbox;  ///< whose domain a new Message-ID gets
  bool smtputf8 = false;
};

/// `<id@domain>`: the Message-ID of a message that has none.
std::string new_message_id(const Trace& trace);

/// The fields that go in front of the app's own octets: Received (RFC 5321 section 4.4, without a name of pod or
/// node), and Date and Message-ID where the app gave none (RFC 6409 section 8). A message that has no header at all
/// gets the empty line too, so that its text stays text.
std::string trace_header(const MessageHeader& header, const Trace& trace);

}  // namespace mailid::delivery
