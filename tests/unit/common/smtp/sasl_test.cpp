#include "common/smtp/sasl.hpp"

#include <gtest/gtest.h>

#include "common/base/encoding.hpp"
#include "common/smtp/redact.hpp"

namespace mailid::smtp {
namespace {

using base::Secret;
using contract::Mechanism;

std::string response(Mechanism mechanism, std::string_view mailbox, std::string_view token) {
  const auto message = initial_response(mechanism, mailbox, "server.example.com", 587, Secret(token));
  return message ? std::string(message->reveal()) : "none";
}

TEST(InitialResponse, OfXoauth2IsTheOneInMicrosoftsDocumentation) {
  EXPECT_EQ(response(Mechanism::XOAuth2, "test@contoso.onmicrosoft.com",
                     "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"),
            "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpM"
            "QldaV0Nj"
            "bFJDM0VvQUEBAQ==");
}

TEST(InitialResponse, OfXoauth2IsTheOneInGooglesDocumentation) {
  EXPECT_EQ(
      response(Mechanism::XOAuth2, "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"),
      "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRX"
      "VZ"
      "Mjl0Q2cBAQ==");
}

TEST(InitialResponse, OfOauthbearerIsTheOneInRfc7628) {
  EXPECT_EQ(
      response(Mechanism::OAuthBearer, "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
      "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbV"
      "Rj"
      "Mk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB");
}

TEST(InitialResponse, OfOauthbearerEscapesTheNamesCommaAndEqualsSign) {
  const auto message = base::base64_decode(response(Mechanism::OAuthBearer, "a,b=c@example.com", "t"));
  EXPECT_EQ(message->substr(0, 30), "n,a=a=2Cb=3Dc@example.com,\x01hos");
}

TEST(InitialResponse, IsNotMadeOfWhatWouldEndAFieldEarly) {
  using std::string_literals::operator""s;
  for (const auto& bad : {""s, "a\r\nRSET"s, "a\n"s, "a\0b"s, "a\x01" + "auth=Bearer x"s}) {
    EXPECT_EQ(response(Mechanism::XOAuth2, bad, "token"), "none") << bad;
    EXPECT_EQ(response(Mechanism::XOAuth2, "user@example.com", bad), "none") << bad;
    EXPECT_EQ(response(Mechanism::OAuthBearer, "user@example.com", bad), "none") << bad;
  }
}

TEST(ErrorAcknowledgement, IsALineOfItsOwn) {
  EXPECT_EQ(error_acknowledgement(Mechanism::XOAuth2), "\r\n");
  EXPECT_EQ(error_acknowledgement(Mechanism::OAuthBearer), "AQ==\r\n");
}

const Secret& secret() {
  static const Secret kSecret("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sub2ZmaWNlMzY1LmNvbSJ9");
  return kSecret;
}

TEST(Redact, HidesAQuotedSecret) {
  EXPECT_EQ(redact("command \"" + std::string(secret().reveal()) + "\" not recognized", secret()),
            "command \"***\" not recognized");
}

TEST(Redact, HidesAPartInUpperCase) {
  EXPECT_EQ(redact("500 EYJHBGCIOIJSUZI1NIJ9.EYJHDWQIOI...", secret()), "500 ***...");
}

TEST(Redact, LeavesWhatIsNotTheSecret) {
  constexpr std::string_view kWords = "Authentication unsuccessful [FR4P281CA0001.DEUP281.PROD.OUTLOOK.COM]";
  EXPECT_EQ(redact(kWords, secret()), kWords);
  EXPECT_EQ(redact("short", Secret("short")), "short");
  EXPECT_EQ(redact("", secret()), "");
}

}  // namespace
}  // namespace mailid::smtp
