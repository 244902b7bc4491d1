#include "sidecar/identity/identities.hpp"

#include "sidecar/identity/sender.hpp"

namespace mailid::identity {

std::string pick_identity(const std::vector<CredentialsPtr>& known, std::string_view sender,
                          std::string_view preferred) {
  const contract::Identity* other = nullptr;
  for (const auto& credentials : known) {
    const auto& settings = credentials->settings;
    if (!sender_allowed(settings, sender)) continue;
    if (settings.name == preferred) return std::string(preferred);
    if (!other) other = &settings;
  }
  // `<>` goes out as the mailbox of the pod's own identity, also while that one is not there yet.
  return other && !sender.empty() ? other->name : std::string(preferred);
}

}  // namespace mailid::identity
