#include "operator/admission/pod_patch.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace mailid::admission {
namespace {

using nlohmann::json;

SidecarSettings settings() {
  SidecarSettings settings;
  settings.image = "registry.example.test/mail-sidecar:0.1.0";
  return settings;
}

json labelled_pod() {
  return json::parse(R"({"metadata": {"name": "app", "labels": {"mailidentity.io/identity": "billing"}},
                         "spec": {"containers": [{"name": "app", "image": "app"}]}})");
}

json patched(const json& pod) {
  const auto patch = patch_pod(pod, settings());
  EXPECT_TRUE(patch) << (patch ? "" : patch.error().context);
  return pod.patch(json::parse(patch->operations));
}

json sidecar_of(const json& pod) {
  return patched(pod).at("/spec/initContainers/0"_json_pointer);
}

catalogue::Failure refusal_of(const json& pod) {
  auto patch = patch_pod(pod, settings());
  EXPECT_FALSE(patch);
  return patch ? catalogue::Failure{} : patch.error();
}

TEST(PodPatch, PutsTheSidecarInFrontOfTheAppsInitContainers) {
  auto pod = labelled_pod();
  pod["spec"]["initContainers"] = {{{"name", "migrate"}}};
  const auto containers = patched(pod)["spec"]["initContainers"];
  EXPECT_EQ(containers[0]["name"], "mail-sidecar");
  EXPECT_EQ(containers[0]["restartPolicy"], "Always");
  EXPECT_EQ(containers[1]["name"], "migrate");
}

TEST(PodPatch, MountsTheIdentitiesInTheSidecarOnly) {
  const auto pod = patched(labelled_pod());
  EXPECT_FALSE(pod["spec"]["containers"][0].contains("volumeMounts"));
  EXPECT_EQ(pod["spec"]["initContainers"][0]["volumeMounts"][0]["mountPath"], "/var/run/mail-identity");
}

TEST(PodPatch, MakesEverySourceOfTheVolumeOptionalAndAFolderOfItsOwn) {
  auto pod = labelled_pod();
  pod["metadata"]["annotations"]["mailidentity.io/identities"] = "alerts";
  const auto sources = patched(pod).at("/spec/volumes/0/projected/sources"_json_pointer);
  ASSERT_EQ(sources.size(), 2U);
  for (const auto& source : sources) EXPECT_EQ(source["secret"]["optional"], true);
  EXPECT_EQ(sources[0]["secret"]["name"], "billing-mail-token");
  EXPECT_EQ(sources[1]["secret"]["name"], "alerts-mail-token");
  EXPECT_EQ(sources[1]["secret"]["items"][0]["path"], "alerts/token");
}

TEST(PodPatch, GivesTheSidecarNothingThatPodSecurityRestrictedRefuses) {
  const auto context = sidecar_of(labelled_pod())["securityContext"];
  EXPECT_EQ(context["runAsNonRoot"], true);
  EXPECT_EQ(context["allowPrivilegeEscalation"], false);
  EXPECT_EQ(context["readOnlyRootFilesystem"], true);
  EXPECT_EQ(context["capabilities"]["drop"], json::array({"ALL"}));
  EXPECT_EQ(context["seccompProfile"]["type"], "RuntimeDefault");
}

TEST(PodPatch, NeverHoldsTheAppBackForMoreThanThirtySeconds) {
  const auto probe = sidecar_of(labelled_pod())["startupProbe"];
  EXPECT_LE(probe["periodSeconds"].get<int>() * probe["failureThreshold"].get<int>(), 30);
}

TEST(PodPatch, LeavesThePodsReadinessToTheApp) {
  EXPECT_FALSE(sidecar_of(labelled_pod()).contains("readinessProbe"));
}

TEST(PodPatch, TellsTheSidecarWhichIdentityIsTheDefault) {
  const auto env = sidecar_of(labelled_pod())["env"];
  EXPECT_EQ(env[0]["name"], "MAIL_SIDECAR_IDENTITY");
  EXPECT_EQ(env[0]["value"], "billing");
}

/// The value of one of the sidecar's variables, or null.
json variable_of_sidecar(const json& pod, const std::string& name) {
  const auto sidecar = sidecar_of(pod);
  for (const auto& variable : sidecar["env"]) {
    if (variable["name"] == name) return variable["value"];
  }
  return nullptr;
}

json pod_with_accept_auth(const json& value) {
  auto pod = labelled_pod();
  pod["metadata"]["annotations"]["mailidentity.io/accept-auth"] = value;
  return pod;
}

TEST(PodPatch, LetsTheSidecarTakeALoginOnlyWhereThePodAsksForIt) {
  EXPECT_EQ(variable_of_sidecar(pod_with_accept_auth("true"), "MAIL_SIDECAR_ACCEPT_AUTH"), "true");
  EXPECT_EQ(variable_of_sidecar(pod_with_accept_auth("false"), "MAIL_SIDECAR_ACCEPT_AUTH"), nullptr);
  EXPECT_EQ(variable_of_sidecar(labelled_pod(), "MAIL_SIDECAR_ACCEPT_AUTH"), nullptr);
}

TEST(PodPatch, GivesAPodThatAsksForTheLoginItsSidecarOnce) {
  const auto once = patched(pod_with_accept_auth("true"));
  EXPECT_EQ(patched(once), once);
}

TEST(PodPatch, RefusesASwitchThatIsNeitherTrueNorFalse) {
  for (const char* value : {"yes", "True", "1", "", " true"}) {
    const auto refused = refusal_of(pod_with_accept_auth(value));
    EXPECT_EQ(refused.reason, catalogue::Reason::InvalidAnnotation) << value;
    EXPECT_EQ(refused.context, std::string("mailidentity.io/accept-auth has \"") + value +
                                   "\"; it must be \"true\" or \"false\"");
  }
}

TEST(PodPatch, GivesTheSidecarTheResourcesOfTheInstallation) {
  auto chosen = settings();
  chosen.resources = {{{"cpu", "10m"}}, {{"cpu", "200m"}, {"memory", "96Mi"}}};
  auto pod = labelled_pod();
  const auto resources_of = [&chosen](const json& given) {
    const auto patch = patch_pod(given, chosen);
    return given.patch(json::parse(patch->operations)).at("/spec/initContainers/0/resources"_json_pointer);
  };
  EXPECT_EQ(resources_of(pod), json::parse(R"({"requests": {"cpu": "10m"},
                                               "limits": {"cpu": "200m", "memory": "96Mi"}})"));
  pod["spec"]["containers"][0]["resources"]["limits"] = {{"cpu", "1"}, {"memory", "1Gi"}};
  EXPECT_EQ(resources_of(pod), json::parse(R"({"requests": {"cpu": "200m", "memory": "96Mi"},
                                               "limits": {"cpu": "200m", "memory": "96Mi"}})"));
}

TEST(PodPatch, KeepsAGuaranteedPodGuaranteed) {
  auto pod = labelled_pod();
  pod["spec"]["containers"][0]["resources"]["limits"] = {{"cpu", "1"}, {"memory", "1Gi"}};
  const auto resources = sidecar_of(pod)["resources"];
  EXPECT_EQ(resources["limits"], resources["requests"]);
  EXPECT_TRUE(resources["limits"].contains("cpu"));
}

TEST(PodPatch, TakesNoPartOfResourcesThatThePodHasAsAWhole) {
  auto pod = labelled_pod();
  pod["spec"]["resources"]["requests"] = {{"cpu", "1"}};
  EXPECT_FALSE(sidecar_of(pod).contains("resources"));
}

TEST(PodPatch, TellsTheAppWhereToSend) {
  const auto env = patched(labelled_pod())["spec"]["containers"][0]["env"];
  EXPECT_EQ(env,
            json::parse(
                R"([{"name": "SMTP_HOST", "value": "127.0.0.1"}, {"name": "SMTP_PORT", "value": "2525"}])"));
}

TEST(PodPatch, LeavesAnAppAloneThatKnowsWhereToSend) {
  auto pod = labelled_pod();
  pod["spec"]["containers"][0]["env"] = {{{"name", "SMTP_PORT"}, {"value", "25"}}};
  EXPECT_EQ(patched(pod)["spec"]["containers"][0]["env"].size(), 1U);
}

TEST(PodPatch, AddsToTheVolumesThatMayBeEvicted) {
  auto pod = labelled_pod();
  const std::string name = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
  pod["metadata"]["annotations"][name] = "cache";
  EXPECT_EQ(patched(pod)["metadata"]["annotations"][name], "cache,mail-spool");
}

TEST(PodPatch, IsEmptyForAPodWithoutTheLabel) {
  auto pod = labelled_pod();
  pod["metadata"].erase("labels");
  EXPECT_TRUE(patch_pod(pod, settings())->empty());
}

TEST(PodPatch, RefusesAPodOnTheNodesNetwork) {
  auto pod = labelled_pod();
  pod["spec"]["hostNetwork"] = true;
  EXPECT_EQ(refusal_of(pod).reason, catalogue::Reason::HostNetworkRefused);
}

TEST(PodPatch, RefusesAPodWithAContainerOfTheSidecarsName) {
  auto pod = labelled_pod();
  pod["spec"]["containers"].push_back({{"name", "mail-sidecar"}});
  EXPECT_EQ(refusal_of(pod).reason, catalogue::Reason::PodNotSupported);
}

TEST(PodPatch, RefusesAnIdentityThatIsNotAName) {
  auto pod = labelled_pod();
  pod["metadata"]["labels"]["mailidentity.io/identity"] = "ops/billing";
  EXPECT_EQ(refusal_of(pod).reason, catalogue::Reason::InvalidAnnotation);
}

TEST(PodPatch, LeavesWhateverIsNoPodAlone) {
  for (const char* text : {"{}", "[]", "null", R"({"spec": 1})", R"({"spec": {}, "metadata": "x"})"}) {
    const auto patch = patch_pod(json::parse(text), settings());
    ASSERT_TRUE(patch) << text;
    EXPECT_TRUE(patch->empty()) << text;
  }
}

TEST(PodPatch, WarnsOfAnAppThatGoesOnSendingElsewhere) {
  const auto warnings_with = [](const char* env) {
    auto pod = labelled_pod();
    pod["spec"]["containers"][0]["env"] = json::parse(env);
    return patch_pod(pod, settings())->warnings;
  };
  for (const char* elsewhere :
       {R"([{"name": "SMTP_HOST", "value": "smtp.old.example"}])",
        R"([{"name": "SMTP_PORT", "value": "25"}])", R"([{"name": "SMTP_HOST", "value": "localhost"}])",
        R"([{"name": "SMTP_HOST", "value": "localhost"}, {"name": "SMTP_PORT", "value": "25"}])"}) {
    EXPECT_THAT(warnings_with(elsewhere), testing::ElementsAre(testing::HasSubstr("127.0.0.1:2525")))
        << elsewhere;
  }
  EXPECT_THAT(warnings_with(
                  R"([{"name": "SMTP_HOST", "value": "localhost"}, {"name": "SMTP_PORT", "value": "2525"}])"),
              testing::IsEmpty());
}

TEST(PodPatch, SurvivesMembersOfTheWrongType) {
  for (const char* text : {R"({"containers": 1})", R"({"containers": [1, "x", null]})",
                           R"({"containers": {}, "initContainers": "x"})",
                           R"({"containers": [{"env": "x", "ports": 3, "envFrom": {}}], "volumes": 7})"}) {
    auto pod = labelled_pod();
    pod["spec"] = json::parse(text);
    EXPECT_TRUE(patch_pod(pod, settings())) << text;
  }
}

}  // namespace
}  // namespace mailid::admission
