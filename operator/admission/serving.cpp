#include "operator/admission/serving.hpp"

#include "common/base/encoding.hpp"
#include "operator/admission/ca_bundle.hpp"

namespace mailid::admission {

Serving::Serving(kube::Client& client, const base::Clock& clock, const base::Log& log,
                 net::TlsServerContext& tls, ServingNames names)
    : client_(&client), clock_(&clock), log_(&log), tls_(&tls), names_(std::move(names)) {}

asio::awaitable<bool> Serving::round() {
  const auto authority = co_await ensure_authority(*client_, names_.authority, *clock_);
  if (!authority) {
    log_->error("no certificate authority", {{"error", authority.error()}});
    co_return false;
  }
  if (!renew(*authority)) co_return false;

  const auto bundle = co_await ensure_ca_bundle(*client_, names_.configuration, authority->certificate_pem);
  if (!bundle) {
    log_->error("the caBundle is not known to be right", {{"error", bundle.error()}});
    co_return false;
  }
  bundle_in_api_ = bundle->ca_pem;
  if (bundle->changed) log_->info("caBundle set", {{"configuration", names_.configuration}});
  co_return true;
}

bool Serving::renew(const Certificate& authority) {
  const auto now = clock_->now();
  if (authority.certificate_pem == authority_pem_ && now < due_) return true;

  const auto issued = issue_serving(authority, names_.dns_name, now);
  if (!issued) {
    log_->error("no serving certificate", {{"error", issued.error()}});
    return false;
  }
  if (const auto used = tls_->use(issued->certificate_pem, issued->key_pem); !used) {
    log_->error("the serving certificate can't be used", {{"error", used.error().detail}});
    return false;
  }
  authority_pem_ = authority.certificate_pem;
  due_ = renewal_time(issued->certificate_pem, now);
  log_->info("serving certificate issued",
             {{"name", names_.dns_name}, {"renewal", base::format_rfc3339(due_)}});
  return true;
}

}  // namespace mailid::admission
