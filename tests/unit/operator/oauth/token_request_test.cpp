#include "operator/oauth/token_request.hpp"

#include <gtest/gtest.h>

namespace mailid::oauth {
namespace {

TokenRequest request(ClientAuthentication authentication, std::string_view secret = "s3cret") {
  TokenRequest request;
  request.token_url = "https://id.example.test/token";
  request.client_id = "billing";
  request.client_secret = base::Secret(secret);
  request.scope = "https://outlook.office365.com/.default";
  request.authentication = authentication;
  request.ca_bundle = "PEM";
  return request;
}

TEST(BuildPost, PutsIdAndSecretIntoTheForm) {
  const auto post = build_post(request(ClientAuthentication::Post));
  EXPECT_EQ(post.form.reveal(),
            "grant_type=client_credentials&client_id=billing&client_secret=s3cret"
            "&scope=https%3A%2F%2Foutlook.office365.com%2F.default");
  EXPECT_TRUE(post.authorization.empty());
}

TEST(BuildPost, PutsIdAndSecretIntoTheHeader) {
  const auto post = build_post(request(ClientAuthentication::Basic));
  EXPECT_EQ(post.authorization.reveal(), "Basic YmlsbGluZzpzM2NyZXQ=");  // billing:s3cret
  EXPECT_EQ(post.form.reveal(),
            "grant_type=client_credentials&scope=https%3A%2F%2Foutlook.office365.com%2F.default");
}

TEST(BuildPost, EncodesWhatWouldEndAValue) {
  const auto post = build_post(request(ClientAuthentication::Post, "a&b=c +%\u00E9"));
  EXPECT_NE(post.form.reveal().find("&client_secret=a%26b%3Dc+%2B%25%C3%A9&scope="), std::string_view::npos);
}

TEST(BuildPost, EncodesIdAndSecretBeforeItJoinsThem) {
  auto odd = request(ClientAuthentication::Basic, "a:b c");
  odd.client_id = "x:y";
  EXPECT_EQ(build_post(odd).authorization.reveal(), "Basic eCUzQXk6YSUzQWIrYw==");  // x%3Ay:a%3Ab+c
}

TEST(BuildPost, AsksForNoScopeWhereThereIsNone) {
  auto without = request(ClientAuthentication::Post);
  without.scope.clear();
  EXPECT_EQ(build_post(without).form.reveal(),
            "grant_type=client_credentials&client_id=billing&client_secret=s3cret");
}

TEST(BuildPost, CarriesAddressAndRoots) {
  const auto post = build_post(request(ClientAuthentication::Post));
  EXPECT_EQ(post.url, "https://id.example.test/token");
  EXPECT_EQ(post.ca_bundle, "PEM");
}

}  // namespace
}  // namespace mailid::oauth
