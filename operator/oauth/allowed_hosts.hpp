#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalogue/catalogue.hpp"

namespace mailid::oauth {

/// The parts of an https address that matter before anything is sent to it.
struct HttpsUrl {
  std::string host;  ///< lower case, an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string path;  ///< with query, begins with `/`
};

/// Takes an https address apart. Fails with InvalidSpec where it is none, or has user information, a fragment,
/// white space or a control byte.
catalogue::Result<HttpsUrl> parse_https_url(std::string_view url);

/// Whether `host` is a DNS name or a literal address, in lower case and without port or brackets.
bool is_host(std::string_view host);

/// The hosts that credentials, tokens and mail may go to: those of the presets and those of the operator's
/// configuration. Without it, whoever may edit a MailIdentity could have tokens sent to a host of their own.
class AllowedHosts {
 public:
  /// `configured`: DNS names (`smtp.contoso.com`), `*.contoso.com` for every name below a domain, or literal IP
  /// addresses. Presets' hosts are always allowed.
  explicit AllowedHosts(std::vector<std::string> configured);

  /// Whether the host (a DNS name or a literal address, in any case) may be used. A `*.` entry never
  /// matches an address or the domain itself.
  bool allows(std::string_view host) const;

  /// Nothing, or HostNotAllowed with the host and the field that named it.
  catalogue::Result<base::Done> check(std::string_view host, std::string_view field) const;

 private:
  std::vector<std::string> entries_;  // lower case
};

}  // namespace mailid::oauth
