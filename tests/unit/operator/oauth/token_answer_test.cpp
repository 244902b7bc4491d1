#include "operator/oauth/token_answer.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_clock.hpp"

namespace mailid::oauth {
namespace {

using catalogue::Reason;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

const base::Time kSent = fakes::FakeClock().time;

PostAnswer answer(int status, std::string_view body, std::string retry_after = "") {
  PostAnswer answer;
  answer.status = status;
  answer.retry_after = std::move(retry_after);
  answer.body = base::Secret(body);
  return answer;
}

base::Expected<Token, TokenFailure> read(std::string_view body) {
  return read_answer(answer(200, body), kSent, kSent + seconds(2));
}

seconds life(std::string_view body) {
  const auto token = read(body);
  return token ? std::chrono::duration_cast<seconds>(token->expires - token->issued) : seconds(-1);
}

catalogue::Failure failure(int status, std::string_view body) {
  auto token = read_answer(answer(status, body), kSent, kSent);
  EXPECT_FALSE(token);
  return std::move(token).error().failure;
}

TEST(TokenAnswer, GivesTokenAndLifeFromTheMomentOfAsking) {
  const auto token = read(
      R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0.a-b_c~d"})");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value.reveal(), "eyJ0.a-b_c~d");
  EXPECT_EQ(token->issued, kSent);
  EXPECT_EQ(token->expires, kSent + seconds(3599));
}

TEST(TokenAnswer, TakesALifeInAnyForm) {
  EXPECT_EQ(life(R"({"access_token":"t","expires_in":"120"})"), seconds(120));
  EXPECT_EQ(life(R"({"access_token":"t","expires_in":120.9})"), seconds(120));
}

TEST(TokenAnswer, WithoutAUsableLifeIsTakenForAnHour) {
  for (const auto* body :
       {R"({"access_token":"t"})", R"({"access_token":"t","expires_in":"soon"})",
        R"({"access_token":"t","expires_in":-5})", R"({"access_token":"t","expires_in":null})",
        R"({"access_token":"t","expires_in":{"expires_in":7}})",
        R"({"access_token":"t","expires_in":1e300})"}) {
    EXPECT_EQ(life(body), kDefaultLife) << body;
  }
}

TEST(TokenAnswer, IsNotBelievedALifeOfYears) {
  EXPECT_EQ(life(R"({"access_token":"t","expires_in":99999999999})"), kLongestLife);
  EXPECT_EQ(life(R"({"access_token":"t","expires_in":18446744073709551615})"), kLongestLife);
}

TEST(TokenAnswer, TakesBearerInAnyCaseAndUnsaid) {
  EXPECT_TRUE(read(R"({"access_token":"t","token_type":"bearer"})"));
  EXPECT_TRUE(read(R"({"access_token":"t"})"));
}

TEST(TokenAnswer, WithoutAUsableTokenIsInvalid) {
  const std::string longest(kMaxToken, 'x');
  EXPECT_TRUE(read(R"({"access_token":")" + longest + R"("})"));
  for (const auto& body :
       {std::string(R"({})"), std::string(R"({"access_token":""})"), std::string(R"({"access_token":7})"),
        std::string(R"({"access_token":"a b"})"), std::string(R"({"access_token":"a\r\nb"})"),
        std::string(R"({"access_token":"a\u0001b"})"), std::string(R"({"access_token":"a\u0000b"})"),
        std::string(R"({"access_token":"t\u00e9"})"),
        std::string(R"({"access_token":"t","token_type":"pop"})"),
        R"({"access_token":")" + longest + R"(x"})", std::string(R"({"inner":{"access_token":"t"}})"),
        std::string("<html>Sign in</html>"), std::string(""), std::string(R"(["access_token","t"])"),
        std::string(R"("access_token")"), std::string(R"({"access_token":"t"} trailing)")}) {
    const auto token = read(body);
    ASSERT_FALSE(token) << body;
    EXPECT_EQ(token.error().failure.reason, Reason::TokenResponseInvalid) << body;
  }
}

TEST(TokenAnswer, IsNeverQuotedInTheFailure) {
  const auto bad = failure(200, R"({"access_token":"eyJ secret","token_type":"Bearer"})");
  EXPECT_THAT(bad.context, Not(HasSubstr("secret")));
}

TEST(TokenAnswer, MayNestAsDeepAsItLikes) {
  const auto body =
      R"({"x":)" + std::string(30'000, '[') + std::string(30'000, ']') + R"(,"access_token":"t"})";
  EXPECT_TRUE(read(body));
}

TEST(TokenAnswer, OfTwoHundredWithAnErrorIsThatError) {
  EXPECT_EQ(failure(200, R"({"error":"invalid_client"})").reason, Reason::InvalidClient);
}

struct Case {
  int status;
  const char* body;
  Reason reason;
};

TEST(ErrorAnswer, IsClassifiedByStatusAndError) {
  const Case cases[] = {
      {401, R"({"error":"invalid_client"})", Reason::InvalidClient},
      {400, R"({"error":"invalid_client"})", Reason::InvalidClient},
      {400, R"({"error":"unauthorized_client"})", Reason::UnauthorizedClient},
      {403, R"({"error":"access_denied"})", Reason::UnauthorizedClient},
      {400, R"({"error":"invalid_scope"})", Reason::InvalidScope},
      {400, R"({"error":"invalid_resource"})", Reason::InvalidScope},
      {400, R"({"error":"invalid_target"})", Reason::InvalidScope},
      {400, R"({"error":"invalid_grant"})", Reason::InvalidGrant},
      {400, R"({"error":"invalid_request"})", Reason::InvalidTokenRequest},
      {400, R"({"error":"unsupported_grant_type"})", Reason::InvalidTokenRequest},
      {400, R"({"error":"interaction_required"})", Reason::InteractionRequired},
      {400, R"({"error":"temporarily_unavailable"})", Reason::TokenEndpointUnavailable},
      {400, R"({"error":"something_new"})", Reason::TokenEndpointRefused},
      {404, "not found", Reason::TokenEndpointRefused},
      {401, "", Reason::TokenEndpointRefused},
      {204, "", Reason::TokenEndpointRefused},
      {429, "Too Many Requests", Reason::TokenEndpointThrottled},
      {429, R"({"error":"invalid_client"})", Reason::TokenEndpointThrottled},
      {408, "", Reason::TokenEndpointUnavailable},
      {500, R"({"error":"invalid_client"})", Reason::TokenEndpointUnavailable},
      {503, "<html>", Reason::TokenEndpointUnavailable},
      {301, "", Reason::TokenEndpointRedirected},
      {302, R"({"access_token":"t"})", Reason::TokenEndpointRedirected},
      {303, "", Reason::TokenEndpointRedirected},
      {307, "", Reason::TokenEndpointRedirected},
      {308, "", Reason::TokenEndpointRedirected},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(failure(each.status, each.body).reason, each.reason) << each.status << " " << each.body;
  }
}

TEST(ErrorAnswer, IsExplainedByTheProvidersNumber) {
  const auto explained = failure(401, R"({"error":"invalid_client","error_codes":[7000215,7]})");
  EXPECT_EQ(explained.reason, Reason::InvalidClient);
  EXPECT_EQ(explained.context,
            "HTTP 401 invalid_client, AADSTS7000215 (the secret is wrong; often the Secret ID was copied "
            "instead of its Value)");
}

TEST(ErrorAnswer, IsNotDecidedByTheProvidersNumber) {
  EXPECT_EQ(failure(400, R"({"error":"invalid_request","error_codes":[7000215]})").reason,
            Reason::InvalidTokenRequest);
  EXPECT_EQ(failure(400, R"({"error_codes":[7000215]})").reason, Reason::TokenEndpointRefused);
}

TEST(ErrorAnswer, IsNotQuoted) {
  for (const auto* body : {R"({"error":"Click https://evil.test"})", R"({"error":"a\u001b[31m"})",
                           R"({"error":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
                           R"({"error":"","error_description":"client_secret=hunter2"})"}) {
    EXPECT_EQ(failure(400, body).context, "HTTP 400") << body;
  }
  EXPECT_EQ(failure(400, R"({"error":"something_new","error_codes":[-3]})").context,
            "HTTP 400 something_new");
  EXPECT_EQ(failure(400, R"({"error_codes":[123456789012345]})").context, "HTTP 400");
}

TEST(ErrorAnswer, SaysHowLongToWait) {
  const auto token = read_answer(answer(429, "", "120"), kSent, kSent);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().retry_after, seconds(120));
  EXPECT_EQ(read_answer(answer(503, ""), kSent, kSent).error().retry_after, std::nullopt);
}

}  // namespace
}  // namespace mailid::oauth
