#include "operator/kube/config.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <map>

#include "common/base/encoding.hpp"
#include "operator/kube/kubeconfig.hpp"

namespace mailid::kube {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A folder of the test's own with files, and an environment.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : folder_(testing::TempDir() + "mailid-config-" + name() + '/') {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  static std::string name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }

  std::string write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + file).parent_path());
    std::ofstream(folder_ + file) << text;
    return folder_ + file;
  }
  std::string kubeconfig(const std::string& cluster, const std::string& user) {
    return write("kubeconfig", fmt::format(R"(
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: there
  context: {{cluster: other, user: other}}
- name: here
  context: {{cluster: c, user: u, namespace: shop}}
clusters:
- name: c
  cluster: {{{}}}
users:
- name: u
  user: {{{}}}
)",
                                           cluster, user));
  }
  base::Expected<Config, std::string> find(const std::string& path = {}) {
    return find_config(path, [this](std::string_view variable) -> std::optional<std::string> {
      const auto found = environment_.find(variable);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
  }
  std::string trouble(const std::string& cluster, const std::string& user) {
    const auto config = find(kubeconfig(cluster, user));
    return config ? "" : config.error();
  }
  static std::string bytes(const Material& material) { return std::string(material.read()->reveal()); }

  std::string folder_;
  std::map<std::string, std::string, std::less<>> environment_;
};

TEST_F(ConfigTest, TakesServerNamespaceAndTokenFromTheCurrentContext) {
  const auto config = find(kubeconfig("server: 'https://api.test:6443/'", "token: abc"));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->server, "https://api.test:6443");
  EXPECT_EQ(config->default_namespace, "shop");
  EXPECT_EQ(bytes(config->token), "abc");
  EXPECT_TRUE(config->ca.empty());
  EXPECT_TRUE(config->client_certificate.empty());
}

TEST_F(ConfigTest, TakesCertificatesFromFilesBesideTheKubeconfig) {
  write("pki/ca.crt", "the ca");
  write("pki/me.crt", "me");
  write("pki/me.key", "my key");
  const auto config = find(kubeconfig("server: https://a, certificate-authority: pki/ca.crt",
                                      "client-certificate: pki/me.crt, client-key: pki/me.key"));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(bytes(config->ca), "the ca");
  EXPECT_EQ(bytes(config->client_certificate), "me");
  EXPECT_EQ(bytes(config->client_key), "my key");
  EXPECT_EQ(config->ca.path(), folder_ + "pki/ca.crt");
}

TEST_F(ConfigTest, TakesInlineDataBeforeFiles) {
  const auto data = base::base64_encode("inline");
  const auto config = find(kubeconfig(
      fmt::format("server: https://a, certificate-authority: /none, certificate-authority-data: {}", data),
      "token: t"));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(bytes(config->ca), "inline");
}

TEST_F(ConfigTest, TakesATokenFileBeforeAToken) {
  write("token", "from the file");
  const auto config = find(kubeconfig("server: https://a", "token: inline, tokenFile: token"));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->token.path(), folder_ + "token");
}

TEST_F(ConfigTest, RefusesByNameWhatWouldChangeWhomWeTrust) {
  EXPECT_THAT(trouble("server: https://a, insecure-skip-tls-verify: true", "token: t"),
              AllOf(HasSubstr("cluster c"), HasSubstr("insecure-skip-tls-verify is not supported")));
  EXPECT_THAT(trouble("server: https://a, proxy-url: http://p", "token: t"), HasSubstr("proxy-url"));
  EXPECT_THAT(trouble("server: https://a, tls-server-name: b", "token: t"), HasSubstr("tls-server-name"));
  EXPECT_THAT(trouble("server: https://a", "exec: {command: aws}"),
              AllOf(HasSubstr("user u"), HasSubstr("exec")));
  EXPECT_THAT(trouble("server: https://a", "token: t, as: admin"), HasSubstr("as is not supported"));
  EXPECT_THAT(trouble("server: https://a", "username: a, password: b"), HasSubstr("username"));
}

TEST_F(ConfigTest, TakesASwitchThatIsOff) {
  EXPECT_EQ(trouble("server: https://a, insecure-skip-tls-verify: false", "token: t"), "");
}

TEST_F(ConfigTest, RefusesAServerWithoutTls) {
  for (const char* server : {"http://a", "a:6443", "https://", "https://user@a", "''"}) {
    EXPECT_THAT(trouble(fmt::format("server: {}", server), "token: t"), HasSubstr("https")) << server;
  }
}

TEST_F(ConfigTest, RefusesHalfAClientCertificate) {
  write("me.crt", "me");
  EXPECT_THAT(trouble("server: https://a", "client-certificate: me.crt"), HasSubstr("client-key"));
}

TEST_F(ConfigTest, NamesTheFileThatIsMissing) {
  EXPECT_THAT(trouble("server: https://a, certificate-authority: gone.crt", "token: t"),
              HasSubstr(folder_ + "gone.crt: No such file"));
  EXPECT_THAT(find(folder_ + "none").error(), HasSubstr(folder_ + "none: No such file"));
}

TEST_F(ConfigTest, NeverQuotesAFileThatIsBroken) {
  const auto path = write("kubeconfig", "token: s3cret\n  users: [}");
  EXPECT_THAT(find(path).error(), AllOf(HasSubstr("no YAML"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(trouble("server: https://a, certificate-authority-data: s3cret!", "token: t"),
              AllOf(HasSubstr("not base64"), Not(HasSubstr("s3cret"))));
}

TEST_F(ConfigTest, SaysWhichContextOrUserIsMissing) {
  EXPECT_THAT(find(write("k", "current-context: x\ncontexts: []\n")).error(),
              HasSubstr("there is no context x"));
  EXPECT_THAT(find(write("k", "apiVersion: v1\n")).error(), HasSubstr("current-context is not set"));
  EXPECT_THAT(find(write("k", "just text")).error(), HasSubstr("no kubeconfig"));
}

TEST_F(ConfigTest, MergesTheFilesOfTheVariableAndTheFirstWins) {
  const auto first = write("1/config", "current-context: x\nusers: [{name: u, user: {token: first}}]\n");
  const auto second = write("2/config",
                            "current-context: y\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                            "clusters: [{name: c, cluster: {server: 'https://a'}}]\n"
                            "users: [{name: u, user: {token: second}}]\n");
  environment_["KUBECONFIG"] = first + ":" + folder_ + "missing:" + second;
  const auto config = find();
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(bytes(config->token), "first");
}

TEST_F(ConfigTest, TakesTheOneOfTheHomeLast) {
  kubeconfig("server: https://home", "token: t");
  std::filesystem::create_directory(folder_ + ".kube");
  std::filesystem::rename(folder_ + "kubeconfig", folder_ + ".kube/config");
  environment_["HOME"] = folder_.substr(0, folder_.size() - 1);
  EXPECT_EQ(find()->server, "https://home");
}

TEST_F(ConfigTest, SaysWhereItLookedWhenNothingIsThere) {
  EXPECT_THAT(find().error(), AllOf(HasSubstr("--kubeconfig"), HasSubstr("KUBERNETES_SERVICE_HOST")));
}

TEST_F(ConfigTest, ReadsThePodsOwn) {
  write("ca.crt", "the ca");
  write("token", "the token");
  write("namespace", "shop");
  environment_ = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  const auto look = [this](std::string_view name) -> std::optional<std::string> {
    return environment_.at(std::string(name));
  };
  const auto config = in_cluster_config(look, folder_);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->server, "https://10.96.0.1:443");
  EXPECT_EQ(config->default_namespace, "shop");
  EXPECT_EQ(config->token.path(), folder_ + "/token");

  environment_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(in_cluster_config(look, folder_)->server, "https://kubernetes.default.svc:443");
  environment_["KUBERNETES_SERVICE_HOST"] = "evil/path";
  EXPECT_THAT(in_cluster_config(look, folder_).error(), HasSubstr("evil/path"));
}

TEST_F(ConfigTest, SaysThatAPodHasNoToken) {
  environment_ = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}};
  EXPECT_THAT(find().error(),
              AllOf(HasSubstr(kServiceAccountDirectory), HasSubstr("automountServiceAccountToken")));
}

}  // namespace
}  // namespace mailid::kube
