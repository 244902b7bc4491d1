#include "operator/admission/identity_lookup.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace mailid::admission {
namespace {

constexpr base::Duration kRemember{5'000};
constexpr std::size_t kMostRemembered = 1'000;
// Anybody who reaches the webhook can make it ask; more than this at once would burden the API server.
constexpr std::size_t kMostAtOnce = 16;

/// The namespace comes from the request's body and goes into a path.
bool is_dns_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

struct Question {
  explicit Question(asio::any_io_executor executor) : answered(std::move(executor)) {}

  std::optional<bool> missing;
  net::Wakeup answered;
};

}  // namespace

struct IdentityLookup::State {
  struct Known {
    bool missing;
    base::SteadyTime until;
  };

  State(asio::any_io_executor on, net::Timer& clock, kube::Client& api)
      : executor(std::move(on)), timer(&clock), client(&api) {}

  std::optional<bool> remembered(const std::string& path) const {
    const auto found = known.find(path);
    if (found == known.end() || found->second.until < timer->now()) return std::nullopt;
    return found->second.missing;
  }

  void remember(const std::string& path, bool missing) {
    if (known.size() >= kMostRemembered) known.clear();
    known[path] = {missing, timer->now() + kRemember};
  }

  static asio::awaitable<void> ask(std::shared_ptr<State> self, std::string path,
                                   std::shared_ptr<Question> question) {
    const auto object = co_await self->client->get(path);
    --self->under_way;
    if (object || object.error().not_found()) {
      question->missing = !object;
      self->remember(path, !object);
    }
    question->answered.wake();
  }

  asio::any_io_executor executor;
  net::Timer* timer;
  kube::Client* client;
  std::map<std::string, Known> known;
  std::size_t under_way = 0;
};

IdentityLookup::IdentityLookup(asio::any_io_executor executor, net::Timer& timer, kube::Client& client)
    : state_(std::make_shared<State>(std::move(executor), timer, client)) {}

asio::awaitable<bool> IdentityLookup::missing(std::string pod_namespace, std::string name,
                                              base::SteadyTime deadline) {
  const auto state = state_;
  if (!is_dns_label(pod_namespace) || !is_dns_label(name)) co_return false;
  const auto path =
      fmt::format("/apis/mailidentity.io/v1alpha1/namespaces/{}/mailidentities/{}", pod_namespace, name);
  if (const auto known = state->remembered(path)) co_return *known;
  if (state->under_way >= kMostAtOnce) co_return false;

  // The question goes on by itself when our time is up, so the next pod finds the answer.
  const auto question = std::make_shared<Question>(state->executor);
  ++state->under_way;
  asio::co_spawn(state->executor, State::ask(state, path, question), asio::detached);
  co_await question->answered.wait(*state->timer, deadline);
  co_return question->missing.value_or(false);
}

}  // namespace mailid::admission
