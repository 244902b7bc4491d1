#include "common/smtp/redact.hpp"

#include <cstddef>
#include <vector>

namespace mailid::smtp {
namespace {

constexpr std::size_t kRun = 16;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Which octets of `text` are part of a run that is also in `secret`.
std::vector<bool> shared_octets(std::string_view text, std::string_view secret) {
  std::vector<bool> shared(text.size(), false);
  for (std::size_t i = 0; i + kRun <= text.size(); ++i) {
    if (secret.find(text.substr(i, kRun)) == std::string_view::npos) continue;
    for (std::size_t j = i; j < i + kRun; ++j) shared[j] = true;
  }
  return shared;
}

}  // namespace

std::string redact(std::string_view text, const base::Secret& secret) {
  std::string needle = lower(secret.reveal());
  std::string searched = lower(text);
  const auto shared = shared_octets(searched, needle);
  base::wipe(needle);
  base::wipe(searched);

  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!shared[i]) {
      clean += text[i];
    } else if (i == 0 || !shared[i - 1]) {
      clean += "***";
    }
  }
  return clean;
}

}  // namespace mailid::smtp
