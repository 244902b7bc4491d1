#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/catalogue/catalogue.hpp"
#include "common/smtp/reply.hpp"
#include "sidecar/delivery/transport.hpp"

namespace mailid::delivery {

/// How a message ended for the app.
enum class Ending : std::uint8_t {
  Accepted,  ///< 2xx: the relay has it
  Refused,   ///< 5xx: this message will never be taken
  Deferred,  ///< 4xx: nothing was taken, the app may try again
  Unknown,   ///< 451: it may or may not have been taken
};

/// `accepted`, `refused`, `deferred`, `unknown`: the label `result` of mail_sidecar_messages_total.
std::string_view ending_name(Ending ending);

/// What the app is told, and why.
struct Verdict {
  Ending ending;
  smtp::Reply reply;
  std::optional<catalogue::Reason> reason;  ///< nothing where the message was accepted
};

/// Whose fault decides the code. The relay's no to this very message (Class::Message) reaches the app word for word;
/// whatever is about account, configuration, rate or us is a 451 that quotes the relay, and 421, which would end the
/// app's connection, becomes 451 too.
/// @param recipients  how many the message has: with more than one, the reply names the one that was refused
Verdict verdict_on(const Outcome& outcome, std::size_t recipients);

/// The same for what we find wrong ourselves before anything is sent. `words` replace the catalogue's where given.
Verdict verdict_on(const catalogue::Failure& failure);
Verdict verdict_on(catalogue::Reason reason, std::string_view words);

}  // namespace mailid::delivery
