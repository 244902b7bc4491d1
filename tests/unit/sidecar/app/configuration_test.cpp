#include "sidecar/app/configuration.hpp"

#include <gmock/gmock.h>
#include <map>

#include "common/contract/sidecar_environment.hpp"

namespace mailid::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

Environment of(Variables variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto variable = variables.find(name);
    if (variable == variables.end()) return std::nullopt;
    return variable->second;
  };
}

/// What is wrong with an environment that has one variable of its own besides the identity.
std::string wrong(const char* name, std::string value) {
  Variables variables{{"MAIL_SIDECAR_IDENTITY", "billing"}};
  variables[name] = std::move(value);
  const auto read = read_configuration(of(std::move(variables)));
  return read ? "nothing" : read.error();
}

TEST(Configuration, NeedsOnlyTheIdentity) {
  const auto read = read_configuration(of({{"MAIL_SIDECAR_IDENTITY", "billing"}}));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->identities, ElementsAre("billing"));
  EXPECT_EQ(read->identity_dir, "/var/run/mail-identity");
  EXPECT_EQ(read->spool_dir, "/var/spool/mail-identity");
  EXPECT_EQ(read->ca_path, "/etc/ssl/certs");
  EXPECT_EQ(read->smtp_port, contract::kSmtpPort);
  EXPECT_EQ(read->admin_port, contract::kAdminPort);
  EXPECT_FALSE(read->accept_auth);
  EXPECT_EQ(read->log_level, base::LogLevel::Info);
}

TEST(Configuration, TakesWhatIsSet) {
  const auto read = read_configuration(of({{"MAIL_SIDECAR_IDENTITY", "alerts-2"},
                                           {"MAIL_SIDECAR_IDENTITIES", "billing,reports"},
                                           {"MAIL_SIDECAR_IDENTITY_DIR", "/i"},
                                           {"MAIL_SIDECAR_SPOOL_DIR", "/s"},
                                           {"MAIL_SIDECAR_SMTP_PORT", "25"},
                                           {"MAIL_SIDECAR_ADMIN_PORT", "0"},
                                           {"MAIL_SIDECAR_ACCEPT_AUTH", "true"},
                                           {"MAIL_SIDECAR_CA_PATH", "/roots.pem"},
                                           {"MAIL_SIDECAR_LOG_LEVEL", "debug"}}));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->identities, ElementsAre("alerts-2", "billing", "reports"));
  EXPECT_EQ(read->identity_dir, "/i");
  EXPECT_EQ(read->spool_dir, "/s");
  EXPECT_EQ(read->ca_path, "/roots.pem");
  EXPECT_EQ(read->smtp_port, 25);
  EXPECT_EQ(read->admin_port, 0);
  EXPECT_TRUE(read->accept_auth);
  EXPECT_EQ(read->log_level, base::LogLevel::Debug);
}

TEST(Configuration, TakesAnEmptyVariableForNone) {
  EXPECT_EQ(wrong("MAIL_SIDECAR_SMTP_PORT", ""), "nothing");
}

TEST(Configuration, RefusesOtherIdentitiesThatAreNoNames) {
  EXPECT_EQ(wrong("MAIL_SIDECAR_IDENTITIES", "alerts,../x"),
            "MAIL_SIDECAR_IDENTITIES is 'alerts,../x': it must be names of MailIdentities with commas "
            "between them");
}

TEST(Configuration, SaysThatTheIdentityIsMissing) {
  EXPECT_EQ(read_configuration(of({})).error(),
            "MAIL_SIDECAR_IDENTITY is not set: it must be the name of a MailIdentity");
}

TEST(Configuration, RefusesAnIdentityThatIsAPath) {
  for (const auto* name : {"../billing", "a/b", ".", "Billing", "-a", "a-"}) {
    EXPECT_THAT(wrong("MAIL_SIDECAR_IDENTITY", name), HasSubstr("MAIL_SIDECAR_IDENTITY is '")) << name;
  }
}

TEST(Configuration, RefusesWhatIsNoPort) {
  for (const auto* port : {"smtp", "65536", "-1", "25 ", "2525x"}) {
    EXPECT_EQ(wrong("MAIL_SIDECAR_SMTP_PORT", port),
              "MAIL_SIDECAR_SMTP_PORT is '" + std::string(port) + "': it must be a port number");
  }
}

TEST(Configuration, RefusesOnePortForBoth) {
  EXPECT_THAT(wrong("MAIL_SIDECAR_ADMIN_PORT", "2525"),
              HasSubstr("another port than MAIL_SIDECAR_SMTP_PORT"));
}

TEST(Configuration, RefusesOtherOddValues) {
  EXPECT_THAT(wrong("MAIL_SIDECAR_ACCEPT_AUTH", "yes"), HasSubstr("true or false"));
  EXPECT_THAT(wrong("MAIL_SIDECAR_LOG_LEVEL", "loud"), HasSubstr("debug, info, warning or error"));
  EXPECT_THAT(wrong("MAIL_SIDECAR_SPOOL_DIR", "spool"), HasSubstr("an absolute path"));
}

TEST(Configuration, NamesEverythingThatIsWrongAtOnce) {
  const auto read =
      read_configuration(of({{"MAIL_SIDECAR_SMTP_PORT", "x"}, {"MAIL_SIDECAR_LOG_LEVEL", "y"}}));
  EXPECT_THAT(read.error(), AllOf(HasSubstr("MAIL_SIDECAR_IDENTITY"), HasSubstr("MAIL_SIDECAR_SMTP_PORT"),
                                  HasSubstr("MAIL_SIDECAR_LOG_LEVEL")));
}

TEST(Configuration, OfAProbeIsTheAdminPortAlone) {
  EXPECT_EQ(*read_admin_port(of({{"MAIL_SIDECAR_ADMIN_PORT", "9"}})), 9);
  EXPECT_FALSE(read_admin_port(of({{"MAIL_SIDECAR_ADMIN_PORT", "x"}})));
}

TEST(Configuration, DescribesEveryVariable) {
  EXPECT_THAT(describe_environment(),
              HasSubstr("MAIL_SIDECAR_IDENTITY      the pod's default identity (required)\n"));
  EXPECT_THAT(describe_environment(), HasSubstr("MAIL_SIDECAR_ACCEPT_AUTH"));
}

}  // namespace
}  // namespace mailid::app
