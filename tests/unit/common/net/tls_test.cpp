#include "common/net/tls.hpp"

#include <filesystem>
#include <fstream>
#include <openssl/ssl.h>

#include "tests/unit/common/net/stream_fixture.hpp"

namespace mailid::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TlsTest : public StreamTest {
 protected:
  void serve(const fakes::TestCertificate& certificate) {
    const auto used = server_context_.use(certificate.pem, certificate.key);
    ASSERT_TRUE(used) << used.error().detail;
  }

  TrustRoots our_roots() const { return {.system_path = {}, .extra_pem = authority_.pem()}; }

  /// Both sides shake hands; what the client says of it.
  Result<base::Done> shake(const std::string& host) {
    const auto accepting = loop_.begin(server_.accept_tls(server_context_, soon()));
    auto result = loop_.run(client_.start_tls(client_context_, host, soon()));
    if (!result) client_.close();
    accepted_ = loop_.wait_for(accepting).has_value();
    return result;
  }

  /// What the client says of a server whose certificate is for `names`.
  std::string refusal(const std::string& names, const std::string& host) {
    serve(authority_.issue(names, host));
    const auto result = shake(host);
    if (result) return "none";
    EXPECT_EQ(result.error().fault, Fault::Certificate);
    EXPECT_FALSE(client_.open());
    return result.error().detail;
  }

  fakes::TestAuthority authority_;
  TlsServerContext server_context_;
  TlsClientContext client_context_{our_roots()};
  bool accepted_ = false;
};

TEST_F(TlsTest, CarriesBytesBothWays) {
  serve(authority_.issue("DNS:relay.test"));
  const auto shaken = shake("relay.test");
  ASSERT_TRUE(shaken) << shaken.error().detail;
  EXPECT_TRUE(accepted_);
  EXPECT_TRUE(client_.encrypted());
  ASSERT_TRUE(write(client_, "EHLO"));
  EXPECT_EQ(read(server_), "EHLO");
  ASSERT_TRUE(write(server_, "250"));
  EXPECT_EQ(read(client_), "250");
}

TEST_F(TlsTest, CarriesMoreThanTheSystemBuffers) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  std::string large;
  for (int i = 0; i < 1'000'000; ++i) large += std::to_string(i);
  const auto writing = loop_.begin(client_.write_all(large, soon()));
  EXPECT_EQ(read_exactly(server_, large.size()), large);
  EXPECT_TRUE(loop_.wait_for(writing));
}

TEST_F(TlsTest, BelievesAnAddressThatTheCertificateNames) {
  EXPECT_EQ(refusal("IP:192.0.2.7", "192.0.2.7"), "none");
}

TEST_F(TlsTest, RefusesAnAddressThatItDoesNot) {
  EXPECT_THAT(refusal("IP:192.0.2.7", "192.0.2.8"), HasSubstr("IP address mismatch"));
}

TEST_F(TlsTest, RefusesAnotherName) {
  EXPECT_THAT(refusal("DNS:relay.test", "mail.test"), HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, LetsAWildcardStandForOneLabel) {
  EXPECT_EQ(refusal("DNS:*.relay.test", "smtp.relay.test"), "none");
}

TEST_F(TlsTest, LetsAWildcardStandForNoMoreThanOneLabel) {
  EXPECT_THAT(refusal("DNS:*.relay.test", "a.smtp.relay.test"), HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, RefusesAPartialWildcard) {
  EXPECT_THAT(refusal("DNS:smtp*.relay.test", "smtp1.relay.test"), HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, NeverLooksAtTheCommonName) {
  EXPECT_THAT(refusal("", "relay.test"), HasSubstr("ostname mismatch"));
}

TEST_F(TlsTest, TakesANameWithTheResolversDotAtItsEnd) {
  EXPECT_EQ(refusal("DNS:relay.test", "relay.test."), "none");
}

TEST_F(TlsTest, RefusesACertificateThatHasEnded) {
  serve(authority_.issue_expired("DNS:relay.test"));
  const auto shaken = shake("relay.test");
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().fault, Fault::Certificate);
  EXPECT_THAT(shaken.error().detail, HasSubstr("expired"));
  EXPECT_FALSE(accepted_);
}

TEST_F(TlsTest, RefusesAnAuthorityThatItDoesNotKnow) {
  const fakes::TestAuthority other;
  serve(other.issue("DNS:relay.test"));
  const auto shaken = shake("relay.test");
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().fault, Fault::Certificate);
}

TEST_F(TlsTest, BelievesNobodyWithoutRoots) {
  client_context_ = TlsClientContext(TrustRoots());
  serve(authority_.issue("DNS:relay.test"));
  EXPECT_FALSE(shake("relay.test"));
}

TEST_F(TlsTest, VerifiesNoEmptyName) {
  EXPECT_FALSE(client_context_.new_session(""));
}

TEST_F(TlsTest, EndsWithoutAHandshakeWhereThePeerHasAlreadySpoken) {
  ASSERT_TRUE(write(server_, "250 injected\r\n"));
  loop_.run_until([this] { return !client_.quiet(); });
  const auto shaken = loop_.run(client_.start_tls(client_context_, "relay.test", soon()));
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().fault, Fault::UnexpectedData);
  EXPECT_FALSE(client_.open());
  // Not one octet of a handshake went out.
  EXPECT_THAT(read(server_), HasSubstr("failed: "));
}

TEST_F(TlsTest, EndsWhereThePeerAnswersInClear) {
  const auto shaking = loop_.begin(client_.start_tls(client_context_, "relay.test", soon()));
  EXPECT_NE(read(server_), "");
  ASSERT_TRUE(write(server_, "250 what is this?\r\n"));
  ASSERT_FALSE(loop_.wait_for(shaking));
  EXPECT_EQ((*shaking)->error().fault, Fault::Tls);
}

TEST_F(TlsTest, StopsWaitingForAHandshakeAtItsDeadline) {
  const auto shaking = loop_.begin(client_.start_tls(client_context_, "relay.test", soon()));
  timer_.advance(10s);
  ASSERT_FALSE(loop_.wait_for(shaking));
  EXPECT_EQ((*shaking)->error().fault, Fault::TimedOut);
  EXPECT_FALSE(client_.open());
}

TEST_F(TlsTest, SaysThatThePeerHasGoneInTheHandshake) {
  server_.close();
  const auto shaken = loop_.run(client_.start_tls(client_context_, "relay.test", soon()));
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().fault, Fault::Closed);
}

TEST_F(TlsTest, SaysThatThePeerHasGoneAfterwards) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  server_.close();
  EXPECT_EQ(read(client_), "failed: the peer ended the connection");
}

TEST_F(TlsTest, TakesNothingInClearOnceItIsTls) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  server_.write_now("250 ok\r\n");
  EXPECT_EQ(read(client_), "250 ok\r\n");
}

TEST_F(TlsTest, IsQuietAfterAHandshake) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  EXPECT_TRUE(client_.quiet());
  ASSERT_TRUE(write(server_, "421 bye\r\n"));
  loop_.run_until([this] { return !client_.quiet(); });
  EXPECT_EQ(read(client_), "421 bye\r\n");
}

TEST_F(TlsTest, SurvivesWritingToAPeerThatHasGone) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  server_.close();
  for (int i = 0; i < 3; ++i) write(client_, "NOOP\r\n");
  EXPECT_FALSE(write(client_, "NOOP\r\n"));
}

TEST_F(TlsTest, GoesOnWithOpenSessionsOnceTheContextIsReleased) {
  serve(authority_.issue("DNS:relay.test"));
  ASSERT_TRUE(shake("relay.test"));
  client_context_.release();
  ASSERT_TRUE(write(client_, "EHLO"));
  EXPECT_EQ(read(server_), "EHLO");
}

TEST_F(TlsTest, RefusesOldVersions) {
  serve(authority_.issue("DNS:relay.test"));
  const auto session = *server_context_.new_session();
  const auto ours = *client_context_.new_session("relay.test");
  EXPECT_EQ(SSL_get_min_proto_version(session.get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_get_min_proto_version(ours.get()), TLS1_2_VERSION);
}

class RootsTest : public TlsTest {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Writes the authority where a hashed folder has it, or where one is told to.
  std::string write_root(const std::string& name) const {
    std::ofstream(folder_ / name) << authority_.pem();
    return folder_ / name;
  }
  std::string hash() const {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(
        BIO_new_mem_buf(authority_pem_.data(), static_cast<int>(authority_pem_.size())), BIO_free);
    const std::unique_ptr<X509, void (*)(X509*)> root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                      X509_free);
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08lx", X509_subject_name_hash(root.get()));
    return text.data();
  }
  void trust(const std::string& path) {
    client_context_ = TlsClientContext({.system_path = path, .extra_pem = {}});
  }

  std::filesystem::path folder_ = testing::TempDir() + "roots-" + std::to_string(::getpid());
  std::string authority_pem_ = authority_.pem();
};

TEST_F(RootsTest, FindsARootInAHashedFolder) {
  write_root(hash() + ".0");
  trust(folder_);
  EXPECT_EQ(refusal("DNS:relay.test", "relay.test"), "none");
}

TEST_F(RootsTest, DoesNotFindARootThatTheFolderLacks) {
  trust(folder_);
  EXPECT_NE(refusal("DNS:relay.test", "relay.test"), "none");
}

TEST_F(RootsTest, TakesAFileOfRoots) {
  trust(write_root("roots.pem"));
  EXPECT_EQ(refusal("DNS:relay.test", "relay.test"), "none");
}

TEST_F(RootsTest, SaysWhichPathHasNoRoots) {
  trust(folder_ / "missing");
  const auto session = client_context_.new_session("relay.test");
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().fault, Fault::Certificate);
  EXPECT_THAT(session.error().detail, HasSubstr("missing: no readable folder or file"));
}

TEST_F(RootsTest, RefusesDamagedExtraRoots) {
  const auto damaged = authority_.pem() + "-----BEGIN CERTIFICATE-----\nx\n";
  for (const auto& pem : {std::string("garbage"), damaged}) {
    TlsClientContext context({.system_path = {}, .extra_pem = pem});
    EXPECT_FALSE(context.new_session("relay.test")) << pem;
  }
}

TEST(TlsServerContext, HasNoSessionsWithoutACertificate) {
  const TlsServerContext context;
  EXPECT_FALSE(context.ready());
  EXPECT_FALSE(context.new_session());
}

TEST(TlsServerContext, KeepsWhatItHasWhereTheNewOneIsUnusable) {
  const fakes::TestAuthority authority;
  const auto good = authority.issue("DNS:a.test");
  const auto other = authority.issue("DNS:a.test");
  TlsServerContext context;
  ASSERT_TRUE(context.use(good.pem, good.key));
  EXPECT_FALSE(context.use("garbage", good.key));
  EXPECT_FALSE(context.use(good.pem, base::Secret("garbage")));
  const auto mixed = context.use(good.pem, other.key);
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().detail, HasSubstr("does not belong"));
  EXPECT_TRUE(context.ready());
  EXPECT_TRUE(context.new_session());
}

}  // namespace
}  // namespace mailid::net
