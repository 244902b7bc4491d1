#include "operator/kube/kubeconfig.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <stdexcept>
#include <utility>
#include <yaml-cpp/yaml.h>

#include "common/base/encoding.hpp"

namespace mailid::kube {
namespace {

/// What is wrong, on its way out of this file's functions; read_kubeconfig() catches it.
class Wrong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A named entry of a file's list.
struct Entry {
  YAML::Node body;        // of `cluster:`, `user:` or `context:`; may be null
  std::string directory;  // of its file, with the slash at the end
  std::string what;       // `/path: user admin`
};

struct Document {
  std::string path;
  YAML::Node root;
};

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

/// The scalar at `name`; empty where it is missing or null.
std::string text_of(const YAML::Node& node, const char* name) {
  if (!node.IsMap() || !node[name] || node[name].IsNull()) return {};
  if (!node[name].IsScalar()) throw Wrong(fmt::format("{} must be a text", name));
  return node[name].Scalar();
}

/// The first entry of this name in a list such as `clusters`.
Entry find_entry(const std::vector<Document>& documents, const char* list, const char* kind,
                 const std::string& name) {
  for (const auto& document : documents) {
    const auto entries = document.root[list];
    if (!entries || !entries.IsSequence()) continue;
    for (const auto& entry : entries) {
      if (text_of(entry, "name") != name) continue;
      return {entry[kind], directory_of(document.path), fmt::format("{}: {} {}", document.path, kind, name)};
    }
  }
  throw Wrong(
      fmt::format("{}: there is no {} {}", documents.front().path, kind, name.empty() ? "(no name)" : name));
}

struct Refused {
  const char* member;
  const char* instead;
};

constexpr Refused kRefusedOfCluster[] = {
    {"insecure-skip-tls-verify", "give certificate-authority: without it anybody could read the token"},
    {"tls-server-name", "use the name of the certificate in server"},
    {"proxy-url", "connect without a proxy"}};

constexpr Refused kRefusedOfUser[] = {{"exec", "use a client certificate or a token"},
                                      {"auth-provider", "use a client certificate or a token"},
                                      {"username", "use a client certificate or a token"},
                                      {"password", "use a client certificate or a token"},
                                      {"as", "log in as that user"},
                                      {"as-uid", "log in as that user"},
                                      {"as-groups", "log in as a user of these groups"},
                                      {"as-user-extra", "log in as a user with these attributes"}};

void refuse(const Entry& entry, std::span<const Refused> members) {
  for (const auto& [member, instead] : members) {
    const auto node = entry.body[member];
    const bool unused = !node || node.IsNull() || (node.IsScalar() && node.Scalar() == "false");
    if (!unused) throw Wrong(fmt::format("{}: {} is not supported; {}", entry.what, member, instead));
  }
}

/// `name-data` (base64) before `name` (a file), as kubectl does.
Material material_of(const Entry& entry, const std::string& name) {
  auto data = text_of(entry.body, (name + "-data").c_str());
  if (!data.empty()) {
    std::erase_if(data, [](char c) { return c == ' ' || c == '\n' || c == '\r'; });
    auto bytes = base::base64_decode(data);
    base::wipe(data);
    if (!bytes) throw Wrong(fmt::format("{}: {}-data is not base64", entry.what, name));
    base::Secret secret(*bytes);
    base::wipe(*bytes);
    return Material::from_text(std::move(secret));
  }
  const auto path = text_of(entry.body, name.c_str());
  if (path.empty()) return {};
  return Material::from_file(path.starts_with('/') ? path : entry.directory + path);
}

std::string server_of(const Entry& cluster) {
  auto server = text_of(cluster.body, "server");
  constexpr std::string_view kScheme = "https://";
  const auto plain = [](char c) {
    return c > ' ' && c < '\x7F' && c != '@' && c != '?' && c != '#' && c != '\\';
  };
  if (!server.starts_with(kScheme) || server.size() == kScheme.size() ||
      !std::all_of(server.begin(), server.end(), plain)) {
    throw Wrong(fmt::format("{}: server must be an https address, not '{}'", cluster.what, server));
  }
  while (server.ends_with('/')) server.pop_back();
  return server;
}

void read_user(const Entry& user, Config& config) {
  refuse(user, kRefusedOfUser);
  config.client_certificate = material_of(user, "client-certificate");
  config.client_key = material_of(user, "client-key");
  if (config.client_certificate.empty() != config.client_key.empty()) {
    throw Wrong(fmt::format("{}: client-certificate and client-key belong together", user.what));
  }
  // A file wins over the text beside it: it is what somebody renews.
  if (const auto file = text_of(user.body, "tokenFile"); !file.empty()) {
    config.token = Material::from_file(file.starts_with('/') ? file : user.directory + file);
  } else if (auto token = text_of(user.body, "token"); !token.empty()) {
    config.token = Material::from_text(base::Secret(token));
    base::wipe(token);
  }
}

void check_readable(const Config& config) {
  for (const auto* material : {&config.ca, &config.client_certificate, &config.client_key, &config.token}) {
    if (material->empty()) continue;
    if (const auto bytes = material->read(); !bytes) throw Wrong(bytes.error());
  }
}

std::vector<Document> load(const std::vector<std::string>& files) {
  std::vector<Document> documents;
  std::string missing;
  for (const auto& path : files) {
    const auto text = Material::from_file(path).read();
    if (!text) {
      missing = text.error();
      continue;
    }
    try {
      documents.push_back({path, YAML::Load(std::string(text->reveal()))});
    } catch (const YAML::Exception& error) {
      // Only the place: the words may quote the file, which holds keys.
      throw Wrong(fmt::format("{}: line {} is no YAML", path, error.mark.line + 1));
    }
    if (!documents.back().root.IsMap()) throw Wrong(path + ": is no kubeconfig");
  }
  if (documents.empty()) throw Wrong("kubeconfig " + missing);
  return documents;
}

Config read(const std::vector<std::string>& files) {
  const auto documents = load(files);
  std::string current;
  for (const auto& document : documents) {
    if (current.empty()) current = text_of(document.root, "current-context");
  }
  if (current.empty()) throw Wrong(documents.front().path + ": current-context is not set");

  const auto context = find_entry(documents, "contexts", "context", current);
  const auto cluster = find_entry(documents, "clusters", "cluster", text_of(context.body, "cluster"));
  const auto user = find_entry(documents, "users", "user", text_of(context.body, "user"));

  Config config;
  refuse(cluster, kRefusedOfCluster);
  config.server = server_of(cluster);
  config.ca = material_of(cluster, "certificate-authority");
  config.default_namespace = text_of(context.body, "namespace");
  read_user(user, config);
  check_readable(config);
  return config;
}

}  // namespace

base::Expected<Config, std::string> read_kubeconfig(const std::vector<std::string>& files) {
  try {
    return read(files);
  } catch (const Wrong& wrong) {
    return base::Unexpected{std::string(wrong.what())};
  } catch (const YAML::Exception&) {
    // Its words may quote what stands there.
    return base::Unexpected{"kubeconfig " + files.front() + ": is not shaped like a kubeconfig"};
  }
}

}  // namespace mailid::kube
