#include "sidecar/server/auth_dialogue.hpp"

#include <utility>

#include "common/base/encoding.hpp"

namespace mailid::server {

using smtp::make_reply;

smtp::Reply AuthDialogue::begin(std::string_view argument) {
  const auto mechanism = argument.substr(0, argument.find(' '));
  const bool initial = mechanism.size() < argument.size();
  const bool plain = base::iequals(mechanism, "PLAIN");
  if (!plain && !base::iequals(mechanism, "LOGIN"))
    return make_reply(504, "5.5.4", "Mechanisms: PLAIN LOGIN");
  asked_ = plain ? Asked::Secret : Asked::User;
  if (initial) return feed(argument.substr(mechanism.size() + 1));
  return make_reply(334, "", plain ? "" : "VXNlcm5hbWU6");
}

smtp::Reply AuthDialogue::feed(std::string_view line) {
  const auto asked = std::exchange(asked_, Asked::Nothing);
  if (line == "*") return make_reply(501, "5.7.0", "AUTH given up");
  if (asked == Asked::User) {
    asked_ = Asked::Secret;
    return make_reply(334, "", "UGFzc3dvcmQ6");
  }
  done_ = true;
  return make_reply(235, "2.7.0", "Welcome; this server needs no login");
}

}  // namespace mailid::server
