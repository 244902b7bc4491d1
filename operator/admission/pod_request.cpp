#include "operator/admission/pod_request.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include <nlohmann/json.hpp>

namespace mailid::admission {
namespace {

using catalogue::Failure;
using catalogue::Reason;

constexpr std::string_view kOurPrefix = "mailidentity.io/";
constexpr std::size_t kLongestName = 52;
constexpr std::size_t kMostIdentities = 20;

base::Unexpected<Failure> invalid(std::string context) {
  return base::Unexpected{Failure{Reason::InvalidAnnotation, std::move(context)}};
}

/// The string member `key` of metadata's `map`, where there is one.
std::optional<std::string> text_of(const nlohmann::json& pod, const char* map, const char* key) {
  const auto metadata = pod.find("metadata");
  if (metadata == pod.end() || !metadata->is_object()) return std::nullopt;
  const auto entries = metadata->find(map);
  if (entries == metadata->end() || !entries->is_object()) return std::nullopt;
  const auto entry = entries->find(key);
  if (entry == entries->end() || !entry->is_string()) return std::nullopt;
  return entry->get<std::string>();
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_identity_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

catalogue::Result<base::Done> add_identity(PodRequest& request, std::string_view where,
                                           std::string_view name) {
  if (!is_identity_name(name)) {
    return invalid(
        fmt::format("{} has \"{}\"; it must be the name of a MailIdentity in the pod's namespace: lower-case "
                    "letters, digits and -, at most {} characters",
                    where, name.substr(0, 100), kLongestName));
  }
  const std::string text(name);
  if (std::find(request.identities.begin(), request.identities.end(), text) != request.identities.end()) {
    return base::Done{};
  }
  if (request.identities.size() == kMostIdentities) {
    return invalid(fmt::format("{} names more than {} identities", where, kMostIdentities));
  }
  request.identities.push_back(text);
  return base::Done{};
}

catalogue::Result<base::Done> add_identities(PodRequest& request, std::string_view list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (auto added = add_identity(request, kIdentitiesAnnotation, trimmed(list.substr(0, comma))); !added) {
      return added;
    }
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return base::Done{};
}

catalogue::Result<base::Done> read_port(const nlohmann::json& pod, const char* annotation,
                                        std::uint16_t& port) {
  const auto text = text_of(pod, "annotations", annotation);
  if (!text) return base::Done{};
  unsigned number = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || stop != end || number < 1024 || number > 65535) {
    return invalid(fmt::format("{} has \"{}\"; it must be a number from 1024 to 65535", annotation,
                               text->substr(0, 100)));
  }
  port = static_cast<std::uint16_t>(number);
  return base::Done{};
}

catalogue::Result<base::Done> read_switch(const nlohmann::json& pod, const char* annotation, bool& on) {
  const auto text = text_of(pod, "annotations", annotation);
  if (!text) return base::Done{};
  if (*text != "true" && *text != "false") {
    return invalid(
        fmt::format(R"({} has "{}"; it must be "true" or "false")", annotation, text->substr(0, 100)));
  }
  on = *text == "true";
  return base::Done{};
}

std::vector<std::string> unknown_annotations(const nlohmann::json& pod) {
  std::vector<std::string> warnings;
  const auto annotations = pod.value(nlohmann::json::json_pointer("/metadata/annotations"), nlohmann::json());
  if (!annotations.is_object()) return warnings;
  constexpr std::string_view kKnown[] = {kIdentitiesAnnotation, kSmtpPortAnnotation, kAdminPortAnnotation,
                                         kAcceptAuthAnnotation};
  for (const auto& [name, value] : annotations.items()) {
    if (!name.starts_with(kOurPrefix) ||
        std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown))
      continue;
    warnings.push_back(fmt::format("annotation {} is not known and has no effect; known are {}", name,
                                   fmt::join(kKnown, ", ")));
  }
  return warnings;
}

}  // namespace

catalogue::Result<std::optional<PodRequest>> read_request(const nlohmann::json& pod) {
  const auto label = text_of(pod, "labels", kIdentityLabel);
  if (!label) return std::optional<PodRequest>();

  PodRequest request;
  const auto more = text_of(pod, "annotations", kIdentitiesAnnotation).value_or("");
  if (auto added = add_identity(request, fmt::format("label {}", kIdentityLabel), *label); !added) {
    return base::Unexpected{std::move(added).error()};
  }
  if (auto added = add_identities(request, more); !added) return base::Unexpected{std::move(added).error()};
  if (auto read = read_port(pod, kSmtpPortAnnotation, request.smtp_port); !read) {
    return base::Unexpected{std::move(read).error()};
  }
  if (auto read = read_port(pod, kAdminPortAnnotation, request.admin_port); !read) {
    return base::Unexpected{std::move(read).error()};
  }
  if (request.smtp_port == request.admin_port) {
    return invalid(fmt::format("{} and {} must differ; both are {}", kSmtpPortAnnotation,
                               kAdminPortAnnotation, request.smtp_port));
  }
  if (auto read = read_switch(pod, kAcceptAuthAnnotation, request.accept_auth); !read) {
    return base::Unexpected{std::move(read).error()};
  }
  request.warnings = unknown_annotations(pod);
  return std::optional<PodRequest>(std::move(request));
}

}  // namespace mailid::admission
