#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "common/net/timer.hpp"
#include "operator/kube/client.hpp"

namespace mailid::admission {

/// Tells whether a MailIdentity exists, for a warning and nothing else: asks the API server, remembers the answer
/// for a few seconds and never takes long. Not to be had within the deadline counts as existing.
class IdentityLookup {
 public:
  /// All three must outlive the executor's last run.
  IdentityLookup(asio::any_io_executor executor, net::Timer& timer, kube::Client& client);

  /// True only where the API server has said within the last 5 s that there is none.
  asio::awaitable<bool> missing(std::string pod_namespace, std::string name, base::SteadyTime deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mailid::admission
