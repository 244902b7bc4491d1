#include "sidecar/identity/mounted_identities.hpp"

#include <gmock/gmock.h>

#include "tests/unit/sidecar/identity/kubelet_folder.hpp"

namespace mailid::identity {
namespace {

using catalogue::Reason;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StandingClock final : public base::Clock {
 public:
  base::Time now() const override { return time; }
  base::SteadyTime steady_now() const override { return {}; }
  base::Time time{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(5)};
};

class MountedIdentitiesTest : public testing::Test {
 protected:
  void mount(const std::string& identity, const std::string& token) {
    folder_.put(identity, KubeletFolder::complete(identity, token));
    folder_.swap();
  }
  void mount(const std::string& identity, KubeletFolder::Files files) {
    folder_.put(identity, std::move(files));
    folder_.swap();
  }
  MountedIdentities& identities() {
    if (!identities_) identities_.emplace(folder_.path(), clock_, log_);
    return *identities_;
  }
  /// Lets the watch see what has happened on disk; only returns when it has seen something.
  void see_the_change() {
    const auto lines = logged_;
    while (logged_ == lines && io_.run_one_for(std::chrono::seconds(20)) > 0) continue;
    ASSERT_NE(logged_, lines) << "nothing was noticed";
  }
  std::string token_of(const std::string& identity) {
    const auto credentials = identities().current(identity);
    return credentials ? std::string((*credentials)->token->reveal())
                       : std::string(catalogue::code(credentials.error().reason));
  }

  KubeletFolder folder_;
  StandingClock clock_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  asio::io_context io_{1};
  std::optional<MountedIdentities> identities_;
};

TEST_F(MountedIdentitiesTest, GivesSettingsAndTokenThatLieThere) {
  mount("billing", "eyJ0");
  const auto credentials = identities().current("billing");
  ASSERT_TRUE(credentials);
  EXPECT_EQ((*credentials)->token->reveal(), "eyJ0");
  EXPECT_EQ((*credentials)->settings.mailbox, "billing@contoso.test");
  EXPECT_EQ((*credentials)->expires_at, clock_.time + std::chrono::hours(1));
  EXPECT_NE((*credentials)->generation, 0U);
}

TEST_F(MountedIdentitiesTest, CallsAnIdentityAfterItsFolder) {
  contract::Identity settings;
  settings.name = "someone-else";
  settings.mailbox = "billing@contoso.test";
  settings.host = "relay.test";
  mount("billing", KubeletFolder::complete(settings, "eyJ0"));
  EXPECT_EQ((*identities().current("billing"))->settings.name, "billing");
}

TEST_F(MountedIdentitiesTest, SayThatAnIdentityWithoutAFolderIsMissing) {
  EXPECT_EQ(token_of("billing"), "IdentityMissing");
  EXPECT_THAT(identities().names(), IsEmpty());
}

TEST_F(MountedIdentitiesTest, NeedNoFolderAtAll) {
  MountedIdentities nowhere(folder_.path() / "not-there", clock_, log_);
  nowhere.watch(io_.get_executor());
  EXPECT_EQ(nowhere.current("billing").error().reason, Reason::IdentityMissing);
}

TEST_F(MountedIdentitiesTest, FindTheFolderThatIsMadeLater) {
  const auto base = folder_.path() / "billing-pod";
  MountedIdentities later(base, clock_, log_);
  later.watch(io_.get_executor());
  std::filesystem::create_directories(base / "billing");
  for (const auto& [key, content] : KubeletFolder::complete("billing", "eyJ0")) {
    std::ofstream(base / "billing" / key) << content;
  }
  EXPECT_EQ(later.pick("", "billing"), "billing");
  EXPECT_TRUE(later.current("billing"));
}

TEST_F(MountedIdentitiesTest, SeeATokenThatIsSwappedIn) {
  mount("billing", "first");
  identities().watch(io_.get_executor());
  const auto before = *identities().current("billing");
  mount("billing", "second");
  see_the_change();
  const auto after = *identities().current("billing");
  EXPECT_EQ(after->token->reveal(), "second");
  EXPECT_GT(after->generation, before->generation);
  EXPECT_EQ(before->token->reveal(), "first") << "who holds the old state keeps it whole";
}

TEST_F(MountedIdentitiesTest, SeeAnIdentityThatAppears) {
  identities().watch(io_.get_executor());
  EXPECT_EQ(token_of("billing"), "IdentityMissing");
  mount("billing", "first");
  see_the_change();
  EXPECT_EQ(token_of("billing"), "first");
}

TEST_F(MountedIdentitiesTest, SeeAFileThatIsWrittenIntoAPlainFolder) {
  const auto own = folder_.path() / "billing";
  std::filesystem::create_directories(own);
  identities().watch(io_.get_executor());
  for (const auto& [key, content] : KubeletFolder::complete("billing", "plain")) {
    std::ofstream(own / key) << content;
  }
  see_the_change();
  while (token_of("billing") != "plain" && io_.run_one_for(std::chrono::seconds(20)) > 0) continue;
  EXPECT_EQ(token_of("billing"), "plain");
}

TEST_F(MountedIdentitiesTest, KeepTheGenerationWhileNothingChanges) {
  mount("billing", "eyJ0");
  const auto before = (*identities().current("billing"))->generation;
  folder_.swap();
  EXPECT_EQ((*identities().refresh("billing"))->generation, before);
}

TEST_F(MountedIdentitiesTest, GiveNewSettingsANewGenerationAndTheTokenItsAge) {
  mount("billing", "eyJ0");
  const auto before = *identities().current("billing");
  clock_.time += std::chrono::minutes(5);
  auto settings = before->settings;
  settings.connections = 1;
  mount("billing", KubeletFolder::complete(settings, "eyJ0"));
  const auto after = *identities().refresh("billing");
  EXPECT_GT(after->generation, before->generation);
  EXPECT_EQ(after->settings.connections, 1U);
  EXPECT_EQ(after->seen_at, before->seen_at);
}

TEST_F(MountedIdentitiesTest, LookAtTheFilesOnRefresh) {
  mount("billing", "first");
  EXPECT_EQ(token_of("billing"), "first");
  mount("billing", "second");
  EXPECT_EQ((*identities().refresh("billing"))->token->reveal(), "second");
}

TEST_F(MountedIdentitiesTest, KeepALivingTokenWhenTheSecretVanishes) {
  mount("billing", "eyJ0");
  EXPECT_EQ(token_of("billing"), "eyJ0");
  folder_.take_away("billing");
  folder_.swap();
  EXPECT_TRUE(identities().refresh("billing"));
  clock_.time += std::chrono::hours(1);
  EXPECT_EQ(token_of("billing"), "TokenExpired");
  EXPECT_THAT(identities().names(), ElementsAre("billing"));
}

TEST_F(MountedIdentitiesTest, SayWhenATokenExpired) {
  mount("billing", KubeletFolder::complete("billing", "eyJ0", "2026-11-24T04:59:00Z"));
  const auto expired = identities().current("billing");
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().reason, Reason::TokenExpired);
  EXPECT_THAT(expired.error().context, HasSubstr("2026-11-24T04:59:00Z"));
}

TEST_F(MountedIdentitiesTest, TrimWhiteSpaceAroundAToken) {
  mount("billing", "  eyJ0\r\n");
  EXPECT_EQ(token_of("billing"), "eyJ0");
}

TEST_F(MountedIdentitiesTest, NeverLogAToken) {
  mount("billing", "eyJ0eXAiCANARY");
  identities();
  mount("billing", "eyJ0 CANARY");
  EXPECT_TRUE(identities().refresh("billing"));
  EXPECT_THAT(logged_, Not(HasSubstr("CANARY")));
  EXPECT_THAT(logged_, HasSubstr("identity is not complete"));
}

/// What a kubelet or a person can leave half done, and the file that the reason must name.
struct Broken {
  const char* name;
  const char* key;
  std::optional<std::string> content;  ///< nothing: the file is missing
};

class BrokenIdentityTest : public MountedIdentitiesTest, public testing::WithParamInterface<Broken> {
 protected:
  static KubeletFolder::Files broken() {
    auto files = KubeletFolder::complete("billing", "eyJ0");
    if (GetParam().content) {
      files[GetParam().key] = *GetParam().content;
    } else {
      files.erase(GetParam().key);
    }
    return files;
  }
};

TEST_P(BrokenIdentityTest, IsNoIdentityYetAndSaysWhichFile) {
  mount("billing", broken());
  const auto none = identities().current("billing");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().reason, Reason::TokenMissing);
  EXPECT_THAT(none.error().context, HasSubstr(GetParam().key));
}

TEST_P(BrokenIdentityTest, LeavesTheLastCompleteStateInUse) {
  mount("billing", "before");
  EXPECT_EQ(token_of("billing"), "before");
  mount("billing", broken());
  const auto kept = identities().refresh("billing");
  ASSERT_TRUE(kept);
  EXPECT_EQ((*kept)->token->reveal(), "before");
}

INSTANTIATE_TEST_SUITE_P(All, BrokenIdentityTest,
                         testing::Values(Broken{"NoToken", "token", std::nullopt},
                                         Broken{"EmptyToken", "token", ""},
                                         Broken{"BlankToken", "token", " \n"},
                                         Broken{"TwoLineToken", "token", "eyJ0\neyJ1"},
                                         Broken{"HugeToken", "token", std::string(70'000, 'x')},
                                         Broken{"NoExpiry", "expires-at", std::nullopt},
                                         Broken{"OddExpiry", "expires-at", "tomorrow"},
                                         Broken{"NoSettings", "identity.v1.json", std::nullopt},
                                         Broken{"CutSettings", "identity.v1.json", R"({"mailbox": "bil)"},
                                         Broken{"SettingsWithoutHost", "identity.v1.json",
                                                R"({"mailbox": "billing@contoso.test"})"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(MountedIdentitiesTest, NeverMixATokenWithSettingsOfAnotherGeneration) {
  for (int i = 0; i < 50; ++i) {
    const auto name = std::to_string(i);
    contract::Identity settings;
    settings.mailbox = name + "@contoso.test";
    settings.host = "relay.test";
    mount("billing", KubeletFolder::complete(settings, "token-" + name));
    const auto credentials = *identities().refresh("billing");
    EXPECT_EQ("token-" + credentials->settings.mailbox,
              std::string(credentials->token->reveal()) + "@contoso.test");
  }
}

TEST_F(MountedIdentitiesTest, PickThePodsOwnIdentityWhereItAllowsTheSender) {
  mount("alerts", "a");
  mount("billing", "b");
  EXPECT_EQ(identities().pick("billing@contoso.test", "billing"), "billing");
  EXPECT_EQ(identities().pick("", "billing"), "billing");
}

TEST_F(MountedIdentitiesTest, PickAnotherIdentityThatAllowsTheSender) {
  mount("alerts", "a");
  mount("billing", "b");
  EXPECT_EQ(identities().pick("Alerts@CONTOSO.test", "billing"), "alerts");
}

TEST_F(MountedIdentitiesTest, PickThePodsOwnIdentityForASenderThatNobodyAllows) {
  mount("alerts", "a");
  EXPECT_EQ(identities().pick("ceo@contoso.test", "billing"), "billing");
  EXPECT_EQ(identities().pick("", "billing"), "billing");
}

}  // namespace
}  // namespace mailid::identity
