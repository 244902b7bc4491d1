#include "operator/oauth/allowed_hosts.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "operator/oauth/presets.hpp"

namespace mailid::oauth {
namespace {

using Failed = base::Unexpected<catalogue::Failure>;

constexpr std::string_view kHttps = "https://";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool is_address(const std::string& host) {
  boost::system::error_code ec;
  boost::asio::ip::make_address(host, ec);
  return !ec;
}

Failed unusable(std::string_view what) {
  return Failed{{catalogue::Reason::InvalidSpec, std::string("the address ").append(what)}};
}

// getaddrinfo also takes `127.1` and `0x7f000001` for addresses; a DNS name never ends in a label of digits.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  const auto last = host.substr(host.rfind('.') + 1);
  if (last.empty() || (last.front() >= '0' && last.front() <= '9')) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool has_odd_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~' || c == '\\'; });
}

}  // namespace

bool is_host(std::string_view host) {
  return is_address(std::string(host)) || is_host_name(host);
}

catalogue::Result<HttpsUrl> parse_https_url(std::string_view url) {
  if (!lower(url.substr(0, kHttps.size())).starts_with(kHttps)) return unusable("must begin with https://");
  if (has_odd_byte(url)) return unusable("must not hold white space, control bytes or anything but ASCII");
  if (url.find('#') != std::string_view::npos) return unusable("must not have a fragment");
  url.remove_prefix(kHttps.size());

  const auto end = std::min(url.find_first_of("/?"), url.size());
  auto authority = url.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return unusable("must not hold a user or a password");

  HttpsUrl parts;
  parts.path = url.substr(end);
  if (!parts.path.starts_with('/')) parts.path.insert(0, "/");

  const bool bracketed = authority.starts_with('[');
  const auto close = bracketed ? authority.find(']') : std::string_view::npos;
  if (bracketed && close == std::string_view::npos) return unusable("has no ]");
  const auto colon = authority.find(':', bracketed ? close : 0);
  parts.host = lower(bracketed ? authority.substr(1, close - 1) : authority.substr(0, colon));
  if (bracketed && close + 1 != std::min(colon, authority.size())) return unusable("has something after ]");
  if (!is_address(parts.host) && (bracketed || !is_host_name(parts.host)))
    return unusable("has no usable host");
  if (colon == std::string_view::npos) return parts;

  const auto digits = authority.substr(colon + 1);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parts.port);
  if (error != std::errc() || stop != digits.data() + digits.size() || parts.port == 0) {
    return unusable("has a port that is not 1 to 65535");
  }
  return parts;
}

AllowedHosts::AllowedHosts(std::vector<std::string> configured) : entries_(std::move(configured)) {
  for (auto& entry : entries_) entry = lower(entry);
}

bool AllowedHosts::allows(std::string_view host) const {
  const auto name = lower(host);
  if (is_preset_host(name)) return true;
  if (!is_host(name)) return false;
  const bool address = is_address(name);
  return std::any_of(entries_.begin(), entries_.end(), [&](const std::string& entry) {
    if (!entry.starts_with("*.")) return entry == name;
    return !address && name.size() > entry.size() - 1 && name.ends_with(std::string_view(entry).substr(1));
  });
}

catalogue::Result<base::Done> AllowedHosts::check(std::string_view host, std::string_view field) const {
  if (allows(host)) return base::Done{};
  return Failed{{catalogue::Reason::HostNotAllowed,
                 std::string(host.substr(0, 253)).append(" (from ").append(field).append(")")}};
}

}  // namespace mailid::oauth
