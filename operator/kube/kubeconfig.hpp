#pragma once

#include <string>
#include <vector>

#include "operator/kube/config.hpp"

namespace mailid::kube {

/// The current context of kubeconfig files, merged as kubectl does: the first file that names a cluster, user,
/// context or current-context wins. Files that don't exist are left out, unless none does.
///
/// Understood: server, certificate-authority[-data], client-certificate[-data], client-key[-data], token, tokenFile,
/// namespace; relative paths are relative to their file. What would change whom we trust or who we are and is not
/// understood is refused by name: insecure-skip-tls-verify, tls-server-name, proxy-url, exec, auth-provider,
/// username, impersonation (`as`), and a server that is not https.
base::Expected<Config, std::string> read_kubeconfig(const std::vector<std::string>& files);

}  // namespace mailid::kube
