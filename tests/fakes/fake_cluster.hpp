#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "operator/kube/client.hpp"

namespace mailid::fakes {

/// The program died here. Not a std::exception, so nothing of the product catches it.
struct Crash {};

/// An API server for one thread, with what a controller must get right: uid, resourceVersion and generation,
/// preconditions of an apply, a status that is written by itself, and a watch that shows every change. Can be told
/// to fail and to crash its caller before or after a request has taken effect.
class FakeCluster final : public kube::Client {
 public:
  using Json = nlohmann::json;

  /// One request: `POST /api/v1/...`.
  struct Request {
    std::string line;
    Json body;
  };

  boost::asio::awaitable<kube::Result<std::string>> get(std::string path) override {
    if (auto failure = arrive("GET " + path, {})) co_return base::Unexpected{std::move(*failure)};
    const auto found = objects_.find(path);
    if (found == objects_.end()) co_return base::Unexpected{status(404, "NotFound")};
    co_return found->second.dump();
  }

  boost::asio::awaitable<kube::Result<std::string>> create(std::string collection,
                                                           std::string object) override {
    auto body = Json::parse(object);
    const auto path = collection + '/' + body["metadata"]["name"].get<std::string>();
    if (auto failure = arrive("POST " + path, body)) co_return base::Unexpected{std::move(*failure)};
    if (objects_.contains(path)) co_return base::Unexpected{status(409, "AlreadyExists")};
    put(path, std::move(body));
    leave("POST " + path);
    co_return objects_[path].dump();
  }

  boost::asio::awaitable<kube::Result<std::string>> apply(std::string path, std::string object,
                                                          std::string) override {
    const auto body = Json::parse(object);
    if (auto failure = arrive("APPLY " + path, body)) co_return base::Unexpected{std::move(*failure)};
    const bool of_status = path.ends_with("/status");
    const auto target = of_status ? path.substr(0, path.size() - 7) : path;
    const auto found = objects_.find(target);
    if (found == objects_.end() && of_status) co_return base::Unexpected{status(404, "NotFound")};
    if (!precondition_holds(body["metadata"], found == objects_.end() ? Json() : found->second["metadata"])) {
      co_return base::Unexpected{status(409, "Conflict")};
    }
    if (of_status) {
      auto& current = found->second;
      if (current["status"] != body["status"]) {
        current["status"] = body["status"];
        changed(target, kube::WatchEvent::Type::Modified);
      }
    } else {
      auto next = found == objects_.end() ? Json::object() : found->second;
      next.merge_patch(body);
      put(target, std::move(next));
    }
    leave("APPLY " + path);
    co_return objects_[target].dump();
  }

  boost::asio::awaitable<kube::Result<std::string>> json_patch(std::string, std::string) override {
    co_return base::Unexpected{status(405, "MethodNotAllowed")};
  }

  /// Creates or replaces an object as a person with kubectl does; metadata.generation counts its specs.
  void put(const std::string& path, Json object) {
    const auto before = objects_.find(path);
    const bool is_new = before == objects_.end();
    auto& metadata = object["metadata"];
    metadata["uid"] = is_new ? Json("uid-" + std::to_string(++uids_)) : before->second["metadata"]["uid"];
    const auto generation = is_new ? 0 : before->second["metadata"].value("generation", 0);
    const bool same_spec = !is_new && before->second.value("spec", Json()) == object.value("spec", Json());
    metadata["generation"] = same_spec ? generation : generation + 1;
    if (!is_new && before->second.contains("status")) object["status"] = before->second["status"];
    objects_[path] = std::move(object);
    changed(path, is_new ? kube::WatchEvent::Type::Added : kube::WatchEvent::Type::Modified);
  }

  /// Changes one object in place.
  void edit(const std::string& path, const std::function<void(Json&)>& change) {
    auto object = objects_.at(path);
    change(object);
    put(path, std::move(object));
  }

  void erase(const std::string& path) {
    const auto found = objects_.find(path);
    if (found == objects_.end()) return;
    const auto gone = found->second;
    objects_.erase(found);
    if (watched(path)) tell(kube::WatchEvent::Type::Deleted, gone);
  }

  bool has(const std::string& path) const { return objects_.contains(path); }
  const Json& at(const std::string& path) const { return objects_.at(path); }

  /// The next `times` requests whose line holds `part` get this answer, and nothing is done.
  void fail(std::string part, int code, std::string reason, int times = 1'000'000) {
    failures_.push_back({std::move(part), status(code, reason), times});
  }
  void heal() { failures_.clear(); }

  /// What happens when a request that writes and whose line holds `part` arrives, once; may throw Crash.
  void when_writing(std::string part, std::function<void()> what) {
    writing_ = {std::move(part), std::move(what)};
  }
  /// What happens after it was done, before its caller gets the answer.
  void when_done(std::string part, std::function<void()> what) { done_ = {std::move(part), std::move(what)}; }

  /// Lists what is there, then shows every change of a MailIdentity.
  void watch(kube::WatchHandler* handler) {
    handler_ = handler;
    if (handler == nullptr) return;
    for (const auto& [path, object] : objects_) {
      if (watched(path)) tell(kube::WatchEvent::Type::Added, object);
    }
    handler->on_synced();
  }

  /// Requests so far whose line holds `part`.
  std::size_t count(std::string_view part) const {
    std::size_t number = 0;
    for (const auto& request : requests) number += request.line.find(part) != std::string::npos ? 1 : 0;
    return number;
  }

  std::vector<Request> requests;

 private:
  struct Failure {
    std::string part;
    kube::Status status;
    int times;
  };
  using Hook = std::pair<std::string, std::function<void()>>;

  static kube::Status status(int code, const std::string& reason) {
    return {code, reason, "for the test", {}};
  }
  static bool watched(const std::string& path) { return path.find("/mailidentities/") != std::string::npos; }

  static void run(Hook& hook, const std::string& line) {
    if (!hook.second || line.find(hook.first) == std::string::npos) return;
    const auto what = std::exchange(hook, {}).second;
    what();
  }

  static bool precondition_holds(const Json& asked, const Json& current) {
    const auto holds = [&](const char* field) {
      return !asked.contains(field) || (!current.is_null() && asked[field] == current[field]);
    };
    return holds("uid") && holds("resourceVersion");
  }

  std::optional<kube::Status> arrive(const std::string& line, const Json& body) {
    requests.push_back({line, body});
    if (!line.starts_with("GET ")) run(writing_, line);
    for (auto& failure : failures_) {
      if (failure.times <= 0 || line.find(failure.part) == std::string::npos) continue;
      --failure.times;
      return failure.status;
    }
    return std::nullopt;
  }

  void leave(const std::string& line) { run(done_, line); }

  void changed(const std::string& path, kube::WatchEvent::Type type) {
    auto& object = objects_[path];
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    if (watched(path)) tell(type, object);
  }

  void tell(kube::WatchEvent::Type type, const Json& object) {
    if (handler_ != nullptr) handler_->on_event({type, object.dump()});
  }

  std::map<std::string, Json> objects_;  // by path
  std::list<Failure> failures_;
  Hook writing_;
  Hook done_;
  kube::WatchHandler* handler_ = nullptr;
  std::uint64_t version_ = 0;
  std::uint64_t uids_ = 0;
};

}  // namespace mailid::fakes
