#pragma once

#include <optional>
#include <string>

#include "common/net/asio.hpp"
#include "operator/kube/client.hpp"
#include "operator/reconcile/observation.hpp"

namespace mailid::reconcile {

/// Where an identity is, from its key in the work queue.
struct ObjectName {
  std::string name_space;
  std::string name;
};

/// `namespace/name`, as the work queue has it.
ObjectName object_name(const std::string& key);

/// What must outlive the call of gather().
struct Sources {
  kube::Client* client;
  const base::Clock* clock;
  const Settings* settings;
};

/// Reads everything about one identity: itself (live: an informer's copy may lack what we wrote last), its token
/// Secret and, where a token is wanted, the credential. Each by a GET of one name.
///
/// Nothing where there is no such identity; the API server's status where it can't be read.
asio::awaitable<kube::Result<std::optional<Observation>>> gather(Sources sources, ObjectName name);

/// `KubernetesUnavailable` with what was tried and what the API server said.
catalogue::Failure kube_failure(const std::string& tried, const kube::Status& status);

}  // namespace mailid::reconcile
