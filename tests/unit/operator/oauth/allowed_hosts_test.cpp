#include "operator/oauth/allowed_hosts.hpp"

#include <gmock/gmock.h>

#include "operator/oauth/presets.hpp"

namespace mailid::oauth {
namespace {

using catalogue::Reason;

std::string parts(std::string_view url) {
  const auto parsed = parse_https_url(url);
  return parsed ? parsed->host + " " + std::to_string(parsed->port) + " " + parsed->path : "refused";
}

TEST(HttpsUrl, FallsIntoHostPortAndPath) {
  EXPECT_EQ(parts("https://id.example.test/a/token?x=1"), "id.example.test 443 /a/token?x=1");
  EXPECT_EQ(parts("HTTPS://ID.Example.Test:8443"), "id.example.test 8443 /");
  EXPECT_EQ(parts("https://id.example.test?x=1"), "id.example.test 443 /?x=1");
  EXPECT_EQ(parts("https://[::1]:8443/token"), "::1 8443 /token");
  EXPECT_EQ(parts("https://127.0.0.1/token"), "127.0.0.1 443 /token");
}

TEST(HttpsUrl, IsRefusedWhereTwoReadersCouldDisagree) {
  for (const auto* url : {"http://id.example.test/",
                          "https:/id.example.test",
                          "https://",
                          "https:///token",
                          "id.example.test",
                          "https://user@id.example.test/",
                          "https://id.example.test@evil.test/",
                          "https://id.example.test\\@evil.test/",
                          "https://id.example.test/#x",
                          "https://id.example.test/ x",
                          "https://id.example.test/\n",
                          "https://id.\u00E9.test/",
                          "https://id.example.test:0/",
                          "https://id.example.test:65536/",
                          "https://id.example.test:8x/",
                          "https://id.example.test:/",
                          "https://[::1/",
                          "https://[::1]x/",
                          "https://[id.example.test]/",
                          "https://127.1/",
                          "https://0x7f000001/",
                          "https://2130706433/",
                          "https://id..test./",
                          "https://.test/"}) {
    const auto parsed = parse_https_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().reason, Reason::InvalidSpec);
  }
}

TEST(IsHost, TakesNamesAndAddressesOnly) {
  for (const auto* host : {"smtp.example.test", "relay", "10.0.0.1", "::1", "a_b.test"})
    EXPECT_TRUE(is_host(host)) << host;
  for (const auto* host : {"", "smtp.example.test:587", "https://x", "127.1", "a b", "[::1]"})
    EXPECT_FALSE(is_host(host)) << host;
}

TEST(AllowedHosts, AlwaysHaveThoseOfThePresets) {
  const AllowedHosts hosts({});
  EXPECT_TRUE(hosts.allows("login.microsoftonline.com"));
  EXPECT_TRUE(hosts.allows("SMTP.Office365.com"));
  EXPECT_FALSE(hosts.allows("evil.microsoftonline.com"));
  EXPECT_FALSE(hosts.allows("login.microsoftonline.com.evil.test"));
  EXPECT_FALSE(hosts.allows(""));
}

TEST(AllowedHosts, HaveWhatIsConfigured) {
  const AllowedHosts hosts({"ID.Example.Test", "10.0.0.1"});
  EXPECT_TRUE(hosts.allows("id.example.TEST"));
  EXPECT_TRUE(hosts.allows("10.0.0.1"));
  EXPECT_FALSE(hosts.allows("sub.id.example.test"));
  EXPECT_FALSE(hosts.allows("10.0.0.2"));
}

TEST(AllowedHosts, HaveEveryNameBelowADomain) {
  const AllowedHosts hosts({"*.example.test"});
  EXPECT_TRUE(hosts.allows("id.example.test"));
  EXPECT_TRUE(hosts.allows("a.b.example.test"));
  EXPECT_FALSE(hosts.allows("example.test"));
  EXPECT_FALSE(hosts.allows("evilexample.test"));
  EXPECT_FALSE(hosts.allows(".example.test"));
}

TEST(AllowedHosts, HaveNoAddressByAStar) {
  EXPECT_FALSE(AllowedHosts({"*.0.0.1"}).allows("10.0.0.1"));
  EXPECT_FALSE(AllowedHosts({"*."}).allows("127.1"));
}

TEST(AllowedHosts, SayWhichFieldNamedTheHost) {
  const auto checked = AllowedHosts({}).check("evil.test", "spec.smtp.host");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().reason, Reason::HostNotAllowed);
  EXPECT_EQ(checked.error().context, "evil.test (from spec.smtp.host)");
  EXPECT_TRUE(AllowedHosts({"evil.test"}).check("evil.test", "spec.smtp.host"));
}

TEST(Presets, KnowTheMicrosoftClouds) {
  const auto* cloud = microsoft_cloud("Public");
  ASSERT_NE(cloud, nullptr);
  EXPECT_EQ(cloud->authority, "https://login.microsoftonline.com");
  EXPECT_EQ(cloud->scope, "https://outlook.office365.com/.default");
  EXPECT_EQ(cloud->smtp_host, "smtp.office365.com");
  EXPECT_EQ(cloud->smtp_port, 587);
  EXPECT_EQ(microsoft_cloud("public"), nullptr);
}

TEST(Presets, MakeTheTokenUrlOfATenant) {
  EXPECT_EQ(microsoft_token_url("https://login.microsoftonline.com/", "contoso.test"),
            "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token");
}

}  // namespace
}  // namespace mailid::oauth
