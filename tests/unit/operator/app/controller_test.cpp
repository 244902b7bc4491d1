#include "operator/app/controller.hpp"

#include <fstream>
#include <gmock/gmock.h>

namespace mailid::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ControllerOptionsTest : public testing::Test {
 protected:
  /// A file of the test's own.
  static std::string file(const std::string& name, const std::string& content) {
    auto path = testing::TempDir() + "controller_options_" + name;
    std::ofstream(path) << content;
    return path;
  }
  static base::Expected<ControllerOptions, std::string> read(const std::vector<std::string>& words) {
    const std::vector<std::string_view> arguments(words.begin(), words.end());
    return controller_options(arguments);
  }
};

TEST_F(ControllerOptionsTest, HaveDefaultsForEverything) {
  const auto options = read({});
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->health_port, 8080);
  EXPECT_THAT(options->allowed_hosts, testing::IsEmpty());
}

TEST_F(ControllerOptionsTest, AreWhatTheChartGives) {
  const auto ca = file("ca.pem", "-----BEGIN CERTIFICATE-----\nx\n");
  const auto options = read({"--allowed-hosts=auth.contoso.test,*.contoso.test", "--token-ca-file=" + ca,
                             "--smtp-ca-file=" + ca, "--health-port=0", "--log-level=debug"});
  ASSERT_TRUE(options) << options.error();
  EXPECT_THAT(options->allowed_hosts, ElementsAre("auth.contoso.test", "*.contoso.test"));
  EXPECT_THAT(options->token_ca, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(options->smtp_ca, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(options->log_level, base::LogLevel::Debug);
}

TEST_F(ControllerOptionsTest, NameAFileThatCannotBeRead) {
  const auto options = read({"--smtp-ca-file=/does/not/exist.pem"});
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error(), HasSubstr("--smtp-ca-file: /does/not/exist.pem can't be read"));
}

TEST_F(ControllerOptionsTest, RefuseAFileWithoutCertificates) {
  const auto options = read({"--token-ca-file=" + file("key.pem", "-----BEGIN PRIVATE KEY-----\n")});
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error(), HasSubstr("no certificate"));
}

TEST_F(ControllerOptionsTest, RefuseRootsThatNoSidecarWouldRead) {
  const auto large = file("large.pem", "-----BEGIN CERTIFICATE-----\n" + std::string(50'000, 'x'));
  EXPECT_FALSE(read({"--smtp-ca-file=" + large}));
}

TEST_F(ControllerOptionsTest, RefuseALevelOrAPortThatIsNone) {
  EXPECT_FALSE(read({"--log-level=loud"}));
  EXPECT_FALSE(read({"--health-port=http"}));
}

}  // namespace
}  // namespace mailid::app
