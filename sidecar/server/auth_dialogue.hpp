#pragma once

#include <string_view>

#include "common/smtp/reply.hpp"

namespace mailid::server {

/// AUTH PLAIN and LOGIN (RFC 4954) for apps that insist: any name and password are right, and neither is kept.
/// Whatever the app says it is, it is in this pod and may send.
class AuthDialogue {
 public:
  /// What stands behind AUTH: the mechanism and perhaps its first response.
  /// @return 334 where a line is to come, 235, or a refusal
  smtp::Reply begin(std::string_view argument);
  /// The line that a 334 asked for; @return as begin().
  smtp::Reply feed(std::string_view line);
  /// Nothing comes of the line that was asked for.
  void give_up() { asked_ = Asked::Nothing; }

  /// Whether the next line is for feed() and no command.
  bool under_way() const { return asked_ != Asked::Nothing; }
  /// Whether the app was let in.
  bool done() const { return done_; }

 private:
  enum class Asked { Nothing, User, Secret };

  Asked asked_ = Asked::Nothing;
  bool done_ = false;
};

}  // namespace mailid::server
