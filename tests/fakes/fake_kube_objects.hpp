#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "operator/kube/client.hpp"

namespace mailid::fakes {

/// An API server for one thread that keeps objects by their path and can be told to fail.
class FakeKubeObjects final : public kube::Client {
 public:
  boost::asio::awaitable<kube::Result<std::string>> get(std::string path) override {
    calls.push_back("GET " + path);
    if (failure) co_return base::Unexpected{*failure};
    const auto found = objects.find(path);
    if (found == objects.end()) co_return base::Unexpected{status(404, "NotFound")};
    co_return found->second.dump();
  }

  boost::asio::awaitable<kube::Result<std::string>> create(std::string collection,
                                                           std::string object) override {
    const auto parsed = nlohmann::json::parse(object);
    const auto path = collection + '/' + parsed["metadata"]["name"].get<std::string>();
    calls.push_back("POST " + path);
    if (before_create) before_create();
    if (failure) co_return base::Unexpected{*failure};
    if (!objects.emplace(path, parsed).second) co_return base::Unexpected{status(409, "AlreadyExists")};
    co_return object;
  }

  boost::asio::awaitable<kube::Result<std::string>> apply(std::string path, std::string object,
                                                          std::string) override {
    calls.push_back("APPLY " + path);
    objects[path] = nlohmann::json::parse(object);
    co_return object;
  }

  boost::asio::awaitable<kube::Result<std::string>> json_patch(std::string path,
                                                               std::string operations) override {
    calls.push_back("PATCH " + path);
    if (failure) co_return base::Unexpected{*failure};
    try {
      objects[path] = objects[path].patch(nlohmann::json::parse(operations));
    } catch (const nlohmann::json::exception&) {
      co_return base::Unexpected{status(422, "Invalid")};
    }
    co_return objects[path].dump();
  }

  static kube::Status status(int code, const std::string& reason) {
    return {code, reason, reason + " for the test", {}};
  }

  std::map<std::string, nlohmann::json> objects;  ///< by path
  std::vector<std::string> calls;                 ///< method and path, in order
  std::optional<kube::Status> failure;            ///< what every call answers while it is set
  std::function<void()> before_create;            ///< what happens between a GET and the POST after it
};

}  // namespace mailid::fakes
