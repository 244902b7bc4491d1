// Every folder of tests/golden/inject is a case; see tests/golden/README.md.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "operator/admission/pod_patch.hpp"

namespace mailid::admission {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kCases = fs::path(MAILID_SOURCE_DIR) / "tests/golden/inject";

SidecarSettings settings() {
  SidecarSettings settings;
  settings.image = "registry.example.test/mail-sidecar:0.1.0";
  return settings;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kCases)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool updating() {
  return std::getenv("UPDATE_GOLDEN") != nullptr;
}

void expect_golden(const fs::path& path, const json& value) {
  const auto text = value.dump(2) + "\n";
  if (updating()) std::ofstream(path) << text;
  EXPECT_EQ(read(path), text) << path << "\nUPDATE_GOLDEN=1 writes it anew";
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  fs::path folder_ = kCases / GetParam();
  json pod_ = json::parse(read(folder_ / "pod.json"));
};

TEST_P(Golden, IsPatchedAsWrittenDown) {
  const auto patch = patch_pod(pod_, settings());
  if (!patch) {
    json result = {{"refused", catalogue::code(patch.error().reason)}, {"because", patch.error().context}};
    expect_golden(folder_ / "patch.json", json::array());
    expect_golden(folder_ / "result.json", result);
    return;
  }
  const auto operations = json::parse(patch->operations);
  json result = {
      {"identities", patch->identities}, {"warnings", patch->warnings}, {"pod", pod_.patch(operations)}};
  expect_golden(folder_ / "patch.json", operations);
  expect_golden(folder_ / "result.json", result);
}

TEST_P(Golden, IsTheSameAfterASecondPatch) {
  const auto once = patch_pod(pod_, settings());
  if (!once) return;
  const auto patched = pod_.patch(json::parse(once->operations));
  const auto twice = patch_pod(patched, settings());
  ASSERT_TRUE(twice) << twice.error().context;
  EXPECT_EQ(twice->operations, "[]");
}

TEST_P(Golden, HasOnlyAdditions) {
  const auto patch = patch_pod(pod_, settings());
  if (!patch) return;
  for (const auto& operation : json::parse(patch->operations)) EXPECT_EQ(operation["op"], "add") << operation;
}

std::string test_name(const testing::TestParamInfo<std::string>& test) {
  auto name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Inject, Golden, testing::ValuesIn(cases()), test_name);

TEST(GoldenCases, CoverAtLeastFiftyPodsThatArePatched) {
  const auto names = cases();
  const auto patched = std::count_if(names.begin(), names.end(), [](const std::string& name) {
    return json::parse(read(kCases / name / "patch.json")).size() > 0;
  });
  EXPECT_GE(patched, 50);
}

}  // namespace
}  // namespace mailid::admission
