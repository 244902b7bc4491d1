#pragma once

#include <string>

#include "common/base/expected.hpp"
#include "common/net/asio.hpp"
#include "operator/kube/client.hpp"

namespace mailid::admission {

/// What the MutatingWebhookConfiguration says about us.
struct BundleState {
  std::string ca_pem;    ///< the caBundle that the API server verifies us against, as it is there now
  bool changed = false;  ///< we have just set it
};

/// Sets `/webhooks/<each>/clientConfig/caBundle` to `ca_pem` wherever it is anything else. Nothing else in the
/// object is touched, and its resourceVersion is tested, so that entries that move meanwhile are not mixed up.
/// @return the state after that, or a sentence why it is not known
asio::awaitable<base::Expected<BundleState, std::string>> ensure_ca_bundle(kube::Client& client,
                                                                           std::string name,
                                                                           std::string ca_pem);

}  // namespace mailid::admission
